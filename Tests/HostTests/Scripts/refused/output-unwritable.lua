-- An output folder inside a file.
local st = require "sentence_transformers"
local datasets = require "datasets"
local model = st.SentenceTransformer("models/tiny")
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })

local trainer = st.SentenceTransformerTrainer{
  model = model,
  args = st.SentenceTransformerTrainingArguments{ output_dir = "data/pairs.jsonl/out", save_strategy = "epoch" },
  train_dataset = train,
  loss = st.losses.MultipleNegativesRankingLoss(model),
}
trainer:train()
