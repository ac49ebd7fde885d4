-- An architecture that is not supported.
local st = require "sentence_transformers"

st.SentenceTransformer("models/other-architecture")
