-- Weights as a Python pickle, which can hold code.
local st = require "sentence_transformers"

st.SentenceTransformer("models/pickled")
