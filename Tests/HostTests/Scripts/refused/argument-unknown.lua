-- An argument, misspelt.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", learning_rat = 1e-5 }
