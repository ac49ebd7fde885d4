-- A keyword of encode, misspelt.
local st = require "sentence_transformers"
local model = st.SentenceTransformer("models/tiny")

model:encode({ "a cat" }, { batchsize = 8 })
