"""The Python side of PythonInteropTests.

interop.py encode MODEL SENTENCES    prints one line of numbers for each line of the file SENTENCES
interop.py change MODEL OUT          adds noise to every weight of MODEL and saves it as OUT
"""

import pathlib
import sys

import torch
from sentence_transformers import SentenceTransformer

torch.set_num_threads(1)
command, folder, file = sys.argv[1:]
model = SentenceTransformer(folder, device="cpu", local_files_only=True)
if command == "encode":
    for vector in model.encode(pathlib.Path(file).read_text().splitlines()):
        print(*(repr(float(x)) for x in vector))
else:
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.01 * torch.randn_like(parameter)
    model.save_pretrained(file)
