local datasets = require "datasets"
datasets.Dataset.from_dict{ a = { 1, 2 } }:train_test_split{ test_size = 10.5 }
