-- A similarity, misspelt.
local st = require "sentence_transformers"

st.evaluation.EmbeddingSimilarityEvaluator{
  sentences1 = { "a cat" }, sentences2 = { "the cat" }, scores = { 1 }, main_similarity = "cosin" }
