-- A keyword of the model, misspelt.
local st = require "sentence_transformers"

st.SentenceTransformer("models/tiny", { max_seq_len = 64 })
