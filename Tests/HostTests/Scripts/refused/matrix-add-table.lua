-- Arithmetic with something else.
local st = require "sentence_transformers"
local m = st.Matrix{ { 1, 2 } } * { 3, 4 }
