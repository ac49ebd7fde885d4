-- A loss, misspelt.
local st = require "sentence_transformers"
local model = st.SentenceTransformer("models/tiny")

st.losses.MultipleNegativeRankingLoss(model)
