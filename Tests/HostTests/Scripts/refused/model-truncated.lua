-- The weights end in the middle.
local st = require "sentence_transformers"

st.SentenceTransformer("models/truncated")
