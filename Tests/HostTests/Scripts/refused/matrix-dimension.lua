-- Dimensions count from 1.
local st = require "sentence_transformers"
st.Matrix{ { 1, 2 } }:sum(0)
