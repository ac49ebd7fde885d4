local datasets = require "datasets"
datasets.load_dataset("sentence-transformers/all-nli", "triplet", { split = "train[:100]" })
