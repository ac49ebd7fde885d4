-- A class of a module, misspelt.
local st = require "sentence_transformers"

st.SentenceTransfomer("models/tiny")
