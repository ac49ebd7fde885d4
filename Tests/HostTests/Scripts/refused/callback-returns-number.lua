-- A callback may return nothing, or the control.
local st = require "sentence_transformers"
local datasets = require "datasets"
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })
local model = st.SentenceTransformer("models/tiny")

local trainer = st.SentenceTransformerTrainer{
  model = model,
  args = st.SentenceTransformerTrainingArguments{ output_dir = "out", save_strategy = "no" },
  train_dataset = train,
  loss = st.losses.MultipleNegativesRankingLoss(model),
  callbacks = { { on_step_end = function() return 5 end } },
}
trainer:train()
