-- A loss needs its model.
local st = require "sentence_transformers"

st.losses.MultipleNegativesRankingLoss()
