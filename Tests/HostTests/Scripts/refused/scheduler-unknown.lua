-- A schedule, misspelt.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", lr_scheduler_type = "linar" }
