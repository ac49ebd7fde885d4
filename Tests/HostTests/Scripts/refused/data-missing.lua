-- A file that is not there.
local datasets = require "datasets"

datasets.load_dataset("json", { data_files = "data/nothing.jsonl", split = "train" })
