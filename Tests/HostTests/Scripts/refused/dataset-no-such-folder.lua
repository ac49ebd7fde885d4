local datasets = require "datasets"

datasets.load_dataset("./data/nowhere")
