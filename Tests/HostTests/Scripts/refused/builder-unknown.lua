-- A format, misspelt.
local datasets = require "datasets"

datasets.load_dataset("jsonl-lines", { data_files = "data/pairs.jsonl", split = "train" })
