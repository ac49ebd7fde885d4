-- Shapes that do not fit.
local st = require "sentence_transformers"
local m = st.Matrix{ { 1, 2 } } + st.Matrix{ { 1, 2, 3 } }
