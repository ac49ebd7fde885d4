-- A scale of 0 makes every pair equal.
local st = require "sentence_transformers"
local model = st.SentenceTransformer("models/tiny")

st.losses.MultipleNegativesRankingLoss(model, { scale = 0 })
