-- train.lua MODEL OUT: trains MODEL on three pairs, which changes its weights, and saves it as OUT.
local datasets = require "datasets"
local st = require "sentence_transformers"
local model = st.SentenceTransformer(arg[1])
local trainer = st.SentenceTransformerTrainer{
  model = model,
  args = st.SentenceTransformerTrainingArguments{
    output_dir = arg[2] .. "-checkpoints", save_strategy = "no", num_train_epochs = 2, learning_rate = 1e-3 },
  train_dataset = datasets.Dataset.from_dict{
    anchor = { "a big cat", "a red house", "the dog ran" },
    positive = { "the cat is big", "the house is red", "a dog was fast" } },
  loss = st.losses.MultipleNegativesRankingLoss(model),
}
trainer:train()
model:save_pretrained(arg[2])
