local datasets = require "datasets"
datasets.Dataset.from_dict{ a = { 1 } }:map(function(row) return row.a end)
