-- A column, misspelt.
local datasets = require "datasets"
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })

print(train.anchr[1])
