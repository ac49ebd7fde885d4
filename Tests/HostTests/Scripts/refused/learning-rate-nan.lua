-- A learning rate that is no number.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", learning_rate = 0 / 0 }
