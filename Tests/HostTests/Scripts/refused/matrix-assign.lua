-- Matrices are not changed in place.
local st = require "sentence_transformers"
local m = st.Matrix{ { 1, 2 }, { 3, 4 } }
m[1] = { 5, 6 }
