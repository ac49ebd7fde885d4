-- A loss is one number.
local st = require "sentence_transformers"
local datasets = require "datasets"
local function train(f)
  local model = st.SentenceTransformer("models/tiny")
  st.SentenceTransformerTrainer{
    model = model, loss = st.losses.Custom(model, f),
    args = st.SentenceTransformerTrainingArguments{ output_dir = "out", save_strategy = "no" },
    train_dataset = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" }),
  }:train()
end
train(function(embeddings)
  return st.util.cos_sim(embeddings[1], embeddings[2])
end)
