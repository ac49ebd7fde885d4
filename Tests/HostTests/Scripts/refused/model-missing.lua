-- A folder that is not there.
local st = require "sentence_transformers"

st.SentenceTransformer("./models/not/there")
