-- An argument of a loss, misspelt.
local st = require "sentence_transformers"
local model = st.SentenceTransformer("models/tiny")

st.losses.MultipleNegativesRankingLoss(model, { scal = 20 })
