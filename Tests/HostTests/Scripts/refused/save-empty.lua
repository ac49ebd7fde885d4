-- No folder is not the root folder.
local st = require "sentence_transformers"
local model = st.SentenceTransformer("models/tiny")

model:save_pretrained("")
