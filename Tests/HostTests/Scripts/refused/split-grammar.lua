-- A slice without its end.
local datasets = require "datasets"

datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train[:10" })
