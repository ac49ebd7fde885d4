-- A model of the hub where the network may not be used and the cache is empty.
local st = require "sentence_transformers"

st.SentenceTransformer("all-MiniLM-L6-v2")
