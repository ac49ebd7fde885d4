-- A module of somebody's own.
local st = require "sentence_transformers"

st.SentenceTransformer("models/other-module")
