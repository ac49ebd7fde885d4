-- A configuration that a folder without a card can't have: data/pairs.jsonl.
local datasets = require "datasets"

datasets.load_dataset("data", "triplet", { split = "train" })
