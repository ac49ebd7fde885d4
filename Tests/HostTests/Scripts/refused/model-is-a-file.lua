local st = require "sentence_transformers"

st.SentenceTransformer("data/pairs.jsonl")
