-- The folder may come first; a number is none.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments(5)
