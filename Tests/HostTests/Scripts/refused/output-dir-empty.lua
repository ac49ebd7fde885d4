-- Checkpoints of a run without a folder would go to the root folder.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "" }
