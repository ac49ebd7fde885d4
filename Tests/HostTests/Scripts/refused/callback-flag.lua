-- A flag that is misspelt would do nothing.
local st = require "sentence_transformers"
local datasets = require "datasets"
local model = st.SentenceTransformer("models/tiny")
local trainer = st.SentenceTransformerTrainer{ model = model,
  args = st.SentenceTransformerTrainingArguments{ output_dir = "out", max_steps = 1, save_strategy = "no" },
  train_dataset = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" }),
  loss = st.losses.MultipleNegativesRankingLoss(model),
  callbacks = { { on_step_end = function(_, _, _, control) control.should_train_stop = true end } } }
trainer:train()
