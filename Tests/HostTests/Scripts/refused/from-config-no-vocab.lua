-- A new model needs a vocabulary.
local st = require "sentence_transformers"
st.SentenceTransformer.from_config{ hidden_size = 32 }
