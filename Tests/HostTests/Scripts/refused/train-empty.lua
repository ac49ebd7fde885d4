-- Nothing to train with.
local st = require "sentence_transformers"
local datasets = require "datasets"
local model = st.SentenceTransformer("models/tiny")

local trainer = st.SentenceTransformerTrainer{
  model = model,
  args = st.SentenceTransformerTrainingArguments{ output_dir = "out", save_strategy = "no" },
  train_dataset = datasets.Dataset.from_dict{ anchor = {}, positive = {} },
  loss = st.losses.MultipleNegativesRankingLoss(model),
}
trainer:train()
