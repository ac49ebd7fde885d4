-- Columns of different lengths.
local datasets = require "datasets"

datasets.Dataset.from_dict{ anchor = { "a cat", "a dog" }, positive = { "the cat" } }
