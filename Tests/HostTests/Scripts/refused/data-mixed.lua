-- A number where the rows before have text.
local datasets = require "datasets"

datasets.load_dataset("json", { data_files = "data/mixed.jsonl", split = "train" })
