-- A configuration that stops in the middle.
local st = require "sentence_transformers"

st.SentenceTransformer("models/broken-config")
