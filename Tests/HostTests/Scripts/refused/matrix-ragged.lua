-- Rows of different lengths are no matrix.
local st = require "sentence_transformers"
st.Matrix{ { 1, 2 }, { 3 } }
