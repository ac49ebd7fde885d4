-- A field of the state that there can't be.
local st = require "sentence_transformers"
local datasets = require "datasets"
local model = st.SentenceTransformer("models/tiny")
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })
local trainer = st.SentenceTransformerTrainer{
  model = model, train_dataset = train, loss = st.losses.MultipleNegativesRankingLoss(model),
  args = st.SentenceTransformerTrainingArguments{ output_dir = "out" } }

print(trainer.state.globl_step)
