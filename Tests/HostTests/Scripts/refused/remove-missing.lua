-- A column that is not there is removed.
local datasets = require "datasets"
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })

train:remove_columns{ "negative" }
