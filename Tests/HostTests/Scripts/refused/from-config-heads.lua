-- Heads share the hidden size evenly.
local st = require "sentence_transformers"
st.SentenceTransformer.from_config{ hidden_size = 32, num_attention_heads = 5, vocab = { "a" } }
