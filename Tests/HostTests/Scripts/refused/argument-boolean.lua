-- Text where a boolean belongs.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", dataloader_drop_last = "yes" }
