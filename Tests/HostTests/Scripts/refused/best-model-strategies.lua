-- The best model can be found again only if it is saved when it is evaluated.
local st = require "sentence_transformers"

st.SentenceTransformerTrainingArguments{ output_dir = "out", load_best_model_at_end = true, eval_strategy = "epoch", save_strategy = "no" }
