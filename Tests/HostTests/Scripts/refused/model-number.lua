-- A number where a folder belongs.
local st = require "sentence_transformers"

st.SentenceTransformer(7)
