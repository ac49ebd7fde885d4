-- More warmup than steps.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", warmup_ratio = 1.5 }
