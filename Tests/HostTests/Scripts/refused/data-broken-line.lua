-- The second line stops in the middle.
local datasets = require "datasets"

datasets.load_dataset("json", { data_files = "data/broken-line.jsonl", split = "train" })
