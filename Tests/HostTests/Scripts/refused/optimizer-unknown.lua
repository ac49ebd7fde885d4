-- An optimizer that is not there.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", optim = "adamw_tourch" }
