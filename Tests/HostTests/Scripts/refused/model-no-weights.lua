-- A model folder without weights.
local st = require "sentence_transformers"

st.SentenceTransformer("models/no-weights")
