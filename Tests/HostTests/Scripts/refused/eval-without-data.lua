-- Evaluation without anything to evaluate on.
local st = require "sentence_transformers"
local datasets = require "datasets"
local model = st.SentenceTransformer("models/tiny")
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })

local trainer = st.SentenceTransformerTrainer{
  model = model,
  args = st.SentenceTransformerTrainingArguments{ output_dir = "out", eval_strategy = "steps", eval_steps = 1 },
  train_dataset = train,
  loss = st.losses.MultipleNegativesRankingLoss(model),
}
trainer:train()
