-- A text in another encoding.
local st = require "sentence_transformers"
st.SentenceTransformer("models/tiny"):encode("caf\xE9")
