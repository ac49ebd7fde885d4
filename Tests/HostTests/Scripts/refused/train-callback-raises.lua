-- model_init calls what is nil.
local st = require "sentence_transformers"
local datasets = require "datasets"
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })

local trainer = st.SentenceTransformerTrainer{
  model_init = function() return nothing() end,
  args = st.SentenceTransformerTrainingArguments{ output_dir = "out" },
  train_dataset = train,
  loss = function(model) return st.losses.MultipleNegativesRankingLoss(model) end,
}
trainer:train()
