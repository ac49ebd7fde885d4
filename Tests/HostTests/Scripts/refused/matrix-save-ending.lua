-- A file of another kind.
local st = require "sentence_transformers"
st.Matrix.eye(2):save("matrix.txt")
