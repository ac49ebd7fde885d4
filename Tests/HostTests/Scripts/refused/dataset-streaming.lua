local datasets = require "datasets"

datasets.load_dataset("org/data", { split = "train", streaming = true })
