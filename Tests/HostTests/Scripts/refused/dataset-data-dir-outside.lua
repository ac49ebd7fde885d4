-- A data_dir that leaves the folder: data/pairs.jsonl.
local datasets = require "datasets"

datasets.load_dataset("data", { data_dir = "../..", split = "train" })
