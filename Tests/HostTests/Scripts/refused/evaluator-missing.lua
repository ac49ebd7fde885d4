-- An evaluator without its scores.
local st = require "sentence_transformers"

st.evaluation.EmbeddingSimilarityEvaluator{
  sentences1 = { "a cat" }, sentences2 = { "the cat" } }
