-- Half a row.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", per_device_train_batch_size = 16.5 }
