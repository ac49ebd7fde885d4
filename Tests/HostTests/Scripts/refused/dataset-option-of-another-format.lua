local datasets = require "datasets"
datasets.load_dataset("json", { data_files = "data/pairs.jsonl", delimiter = ";" })
