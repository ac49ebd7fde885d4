-- What a model gets of texts: ids, padded to the longest, and the mask.
local st = require "sentence_transformers"
local model = st.SentenceTransformer("models/tiny")
local features = model:preprocess({ "a big cat", "a big red house", "" })
local ids, mask = features.input_ids, features.attention_mask
assert(#ids == 3 and #mask == 3)
for row = 1, 3 do assert(#ids[row] == #ids[2] and #mask[row] == #ids[2]) end
local function length(row)
  local sum = 0
  for _, one in ipairs(mask[row]) do sum = sum + one end
  return sum
end
assert(length(1) == 5 and length(2) == 6 and length(3) == 2)
for place = 1, 3 do assert(ids[1][place] == ids[2][place]) end
assert(ids[1][6] == ids[3][3], "padding")
assert(features.token_type_ids[2][4] == 0)
-- A prompt goes before every text; the older name does the same.
local prompted = model:preprocess({ "big cat" }, { prompt = "a " })
local older = model:tokenize({ "a big cat" })
for place = 1, 5 do
  assert(prompted.input_ids[1][place] == ids[1][place])
  assert(older.input_ids[1][place] == ids[1][place])
end
assert(#model:preprocess({}).input_ids == 0)
-- Both of Python's names for the inner product.
assert(st.SimilarityFunction.DOT_PRODUCT == "dot" and st.SimilarityFunction.DOT == "dot")
