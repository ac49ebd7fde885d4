-- "best" by which metric?
local st = require "sentence_transformers"
local datasets = require "datasets"
local model = st.SentenceTransformer("models/tiny")
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })

st.SentenceTransformerTrainer{
  model = model, train_dataset = train, eval_dataset = train,
  loss = st.losses.MultipleNegativesRankingLoss(model),
  args = st.SentenceTransformerTrainingArguments{
    output_dir = "out", eval_strategy = "epoch", save_strategy = "best" } }
