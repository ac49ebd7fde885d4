-- A learning rate below 0.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", learning_rate = -1e-5 }
