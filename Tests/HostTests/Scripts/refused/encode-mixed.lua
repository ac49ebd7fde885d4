-- A number among the sentences.
local st = require "sentence_transformers"
local model = st.SentenceTransformer("models/tiny")

model:encode({ "a cat", 7 })
