-- Text where a column belongs.
local datasets = require "datasets"

datasets.Dataset.from_dict{ anchor = "a cat" }
