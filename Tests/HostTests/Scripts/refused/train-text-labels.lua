-- Labels that are text.
local st = require "sentence_transformers"
local datasets = require "datasets"
local model = st.SentenceTransformer("models/tiny")
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })

local words = train:rename_column("positive", "label")
local trainer = st.SentenceTransformerTrainer{
  model = model,
  args = st.SentenceTransformerTrainingArguments{ output_dir = "out", save_strategy = "no" },
  train_dataset = words,
  loss = st.losses.CosineSimilarityLoss(model),
}
trainer:train()
