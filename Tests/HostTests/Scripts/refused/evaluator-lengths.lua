-- More first sentences than second ones.
local st = require "sentence_transformers"

st.evaluation.EmbeddingSimilarityEvaluator{
  sentences1 = { "a cat", "a dog" }, sentences2 = { "the cat" }, scores = { 1 }, name = "dev" }
