-- A file that is no UTF-8 text.
local datasets = require "datasets"

datasets.load_dataset("json", { data_files = "data/latin1.jsonl", split = "train" })
