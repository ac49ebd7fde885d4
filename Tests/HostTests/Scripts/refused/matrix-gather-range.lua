-- A column that is not there.
local st = require "sentence_transformers"
st.Matrix{ { 1, 2 } }:gather{ 3 }
