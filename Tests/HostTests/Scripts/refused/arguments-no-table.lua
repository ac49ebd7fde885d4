-- The arguments are one table.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments("out")
