-- Text where a number belongs.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", learning_rate = "fast" }
