-- A line with more fields than the header.
local datasets = require "datasets"

datasets.load_dataset("csv", { data_files = "data/ragged.csv", split = "train" })
