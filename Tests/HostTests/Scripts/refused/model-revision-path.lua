-- A revision that would lead out of the cache.
local st = require "sentence_transformers"

st.SentenceTransformer("org/model", { revision = "../../etc" })
