local datasets = require "datasets"
datasets.Dataset.from_dict{ a = { 1, 2 } }:select{ 1, 3 }
