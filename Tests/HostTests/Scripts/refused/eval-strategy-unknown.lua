-- A strategy, misspelt.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", eval_strategy = "epochs" }
