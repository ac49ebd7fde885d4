-- The weights' first bytes give a header longer than the file.
local st = require "sentence_transformers"

st.SentenceTransformer("models/header-length")
