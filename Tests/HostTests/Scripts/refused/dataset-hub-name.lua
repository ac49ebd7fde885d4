-- A name that no repository of a hub has.
local datasets = require "datasets"

datasets.load_dataset("my data/pairs")
