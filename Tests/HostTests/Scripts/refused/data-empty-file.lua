-- A file without a row.
local datasets = require "datasets"

datasets.load_dataset("json", { data_files = "data/empty.jsonl", split = "train" })
