-- The weights' header is no JSON.
local st = require "sentence_transformers"

st.SentenceTransformer("models/header-garbage")
