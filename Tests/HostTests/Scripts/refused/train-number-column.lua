-- Numbers where sentences belong.
local st = require "sentence_transformers"
local datasets = require "datasets"
local model = st.SentenceTransformer("models/tiny")

local trainer = st.SentenceTransformerTrainer{
  model = model,
  args = st.SentenceTransformerTrainingArguments{ output_dir = "out", save_strategy = "no" },
  train_dataset = datasets.Dataset.from_dict{ anchor = { 1, 2 }, positive = { "a cat", "a dog" } },
  loss = st.losses.MultipleNegativesRankingLoss(model),
}
trainer:train()
