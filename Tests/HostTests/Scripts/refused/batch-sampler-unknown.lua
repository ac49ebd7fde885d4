-- A batch sampler, misspelt.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", batch_sampler = "no_duplicate" }
