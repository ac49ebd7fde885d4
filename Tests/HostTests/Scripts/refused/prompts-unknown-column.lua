-- A prompt for a column that is not there.
local st = require "sentence_transformers"
local datasets = require "datasets"
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })
local model = st.SentenceTransformer("models/tiny")

st.SentenceTransformerTrainer{
  model = model,
  args = st.SentenceTransformerTrainingArguments{ prompts = { ancor = "query: " } },
  train_dataset = train,
}
