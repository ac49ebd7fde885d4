-- Each token has one id.
local st = require "sentence_transformers"
st.SentenceTransformer.from_config{ hidden_size = 32, vocab = { "a", "b", "a" } }
