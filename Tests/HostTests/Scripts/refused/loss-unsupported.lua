-- A loss of Python that is not there.
local st = require "sentence_transformers"

st.losses.SoftmaxLoss("model", { num_labels = 3 })
