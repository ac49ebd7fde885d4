-- A number where sentences belong.
local st = require "sentence_transformers"
local model = st.SentenceTransformer("models/tiny")

model:encode(7)
