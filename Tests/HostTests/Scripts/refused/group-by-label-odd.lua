-- Batches of pairs of one label can't be odd.
local st = require "sentence_transformers"
local datasets = require "datasets"
local model = st.SentenceTransformer("models/tiny")

local labelled = datasets.Dataset.from_dict{
  sentence = { "a cat", "a dog", "the cat", "the dog" }, label = { 0, 1, 0, 1 } }
local trainer = st.SentenceTransformerTrainer{
  model = model,
  args = st.SentenceTransformerTrainingArguments{ output_dir = "out", batch_sampler = "group_by_label", per_device_train_batch_size = 5 },
  train_dataset = labelled,
  loss = st.losses.CoSENTLoss(model),
}
trainer:train()
