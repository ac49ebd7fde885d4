local datasets = require "datasets"
datasets.load_dataset("json", { data_file = "data/pairs.jsonl" })
