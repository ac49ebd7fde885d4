-- A split that the file does not have.
local datasets = require "datasets"

datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "dev" })
