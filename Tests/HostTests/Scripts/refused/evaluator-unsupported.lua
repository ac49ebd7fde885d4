-- An evaluator of Python that is not there.
local st = require "sentence_transformers"

st.evaluation.NanoBEIREvaluator{ dataset_names = { "msmarco" } }
