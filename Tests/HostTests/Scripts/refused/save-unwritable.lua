-- A folder inside a file.
local st = require "sentence_transformers"
local model = st.SentenceTransformer("models/tiny")

model:save_pretrained("data/pairs.jsonl/model")
