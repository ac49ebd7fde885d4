local datasets = require "datasets"
local ds = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })
print(ds.ancor)
