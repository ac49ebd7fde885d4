-- Fewer than no epochs.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", num_train_epochs = -1 }
