-- Only two architectures.
local st = require "sentence_transformers"
st.SentenceTransformer.from_config{ architecture = "gpt2", vocab = { "a" } }
