-- A folder whose files have no split of that name: data/pairs.jsonl.
local datasets = require "datasets"

datasets.load_dataset("data", { split = "test" })
