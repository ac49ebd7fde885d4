local datasets = require "datasets"
datasets.load_dataset("jsonl", { data_files = "data/pairs.jsonl" })
