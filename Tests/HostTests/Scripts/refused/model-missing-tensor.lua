-- Weights that lack a tensor.
local st = require "sentence_transformers"

st.SentenceTransformer("models/missing-tensor")
