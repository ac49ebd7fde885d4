-- A column that is not there gets a name.
local datasets = require "datasets"
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })

train:rename_column("premise", "anchor")
