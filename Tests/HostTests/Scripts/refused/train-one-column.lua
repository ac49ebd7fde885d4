-- A ranking needs pairs.
local st = require "sentence_transformers"
local datasets = require "datasets"
local model = st.SentenceTransformer("models/tiny")
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })

local trainer = st.SentenceTransformerTrainer{
  model = model,
  args = st.SentenceTransformerTrainingArguments{ output_dir = "out", save_strategy = "no" },
  train_dataset = train:select_columns{ "anchor" },
  loss = st.losses.MultipleNegativesRankingLoss(model),
}
trainer:train()
