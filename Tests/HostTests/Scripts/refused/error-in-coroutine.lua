-- An error inside a coroutine.
local st = require "sentence_transformers"
local model = st.SentenceTransformer("models/tiny")

local steps = coroutine.wrap(function()
  model:encode(7)
end)
steps()
