-- A model folder without its configuration.
local st = require "sentence_transformers"

st.SentenceTransformer("models/no-config")
