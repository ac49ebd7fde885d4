local datasets = require "datasets"
local ds = datasets.Dataset.from_dict{ a = { 1, 2 } }
print(ds[0].a)
