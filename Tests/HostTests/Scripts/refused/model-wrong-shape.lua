-- A configuration that asks for another hidden size than the weights have.
local st = require "sentence_transformers"

st.SentenceTransformer("models/wrong-shape")
