-- A name that no repository of a hub has.
local st = require "sentence_transformers"

st.SentenceTransformer("my models/bert--tiny")
