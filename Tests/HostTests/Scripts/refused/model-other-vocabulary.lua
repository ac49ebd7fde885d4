-- A vocabulary larger than the word embeddings.
local st = require "sentence_transformers"

st.SentenceTransformer("models/other-vocabulary")
