-- Half precision, which no processor trains with.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", fp16 = true }
