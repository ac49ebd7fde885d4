local datasets = require "datasets"
datasets.Dataset.from_dict{ a = { 1 }, b = { 2 } }:rename_column("a", "b")
