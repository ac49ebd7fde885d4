-- A method called with a dot: the model is missing.
local st = require "sentence_transformers"
local model = st.SentenceTransformer("models/tiny")

model.encode({ "a cat" })
