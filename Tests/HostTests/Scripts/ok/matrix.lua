-- Matrices: fields, arithmetic, products, reductions, places, files, and st.util.
local st = require "sentence_transformers"
local Matrix = st.Matrix

local function close(a, b, what)
  assert(math.abs(a - b) < 1e-5, (what or "number") .. ": " .. a .. " is not " .. b)
end
local function same(matrix, rows)
  assert(matrix.rows == #rows, "rows")
  for i, row in ipairs(rows) do
    for j, value in ipairs(row) do close(matrix:tolist()[i][j], value, "[" .. i .. "][" .. j .. "]") end
  end
end

local m = Matrix{ { 1, 2, 3 }, { 4, 5, 6 } }
assert(#m == 2 and m.rows == 2 and m.columns == 3 and m.dim == 3 and m.shape[2] == 3)
assert(m[2][3] == 6 and m:row(1)[2] == 2 and m[3] == nil)
assert(tostring(m):find("^Matrix%(2x3%)"), tostring(m))
assert(#Matrix{ 1, 2, 3 } == 1, "numbers are one row")

-- Arithmetic repeats numbers, rows and columns.
same(m + 1, { { 2, 3, 4 }, { 5, 6, 7 } })
same(10 - m, { { 9, 8, 7 }, { 6, 5, 4 } })
same(m * Matrix{ 1, 10, 100 }, { { 1, 20, 300 }, { 4, 50, 600 } })
same(m / Matrix{ { 2 }, { 4 } }, { { 0.5, 1, 1.5 }, { 1, 1.25, 1.5 } })
same(-m ^ 2, { { -1, -4, -9 }, { -16, -25, -36 } })
same(m:maximum(3), { { 3, 3, 3 }, { 4, 5, 6 } })
same(m:gt(2):where(m, 0), { { 0, 0, 3 }, { 4, 5, 6 } })
same(m:masked_fill(m:le(2), -1), { { -1, -1, 3 }, { 4, 5, 6 } })
same(m:clamp(2, 5), { { 2, 2, 3 }, { 4, 5, 5 } })

-- Products, transposes and reductions; dimension 1 goes over the rows, 2 over the columns.
same(m:matmul(m:t()), { { 14, 32 }, { 32, 77 } })
same(m:sum(1), { { 5, 7, 9 } })
same(m:sum(2), { { 6 }, { 15 } })
assert(m:sum():item() == 21 and m:mean():item() == 3.5 and m:max():item() == 6)
same(m:softmax(), { { 0.0900306, 0.2447285, 0.6652410 }, { 0.0900306, 0.2447285, 0.6652410 } })
assert(m:argmax(2)[1] == 3 and m:argmax(1)[3] == 2)
close(Matrix{ { 3, 4 } }:norm():item(), 5)
same(Matrix{ { 3, 4 } }:normalize(), { { 0.6, 0.8 } })
close(m:cross_entropy{ 3, 1 }:item(), (0.4076059 + 2.4076059) / 2)

-- Parts count from 1; negative places from the end.
same(m:slice(2, 2), { { 4, 5, 6 } })
same(m:slice(1, -1, -2, -1), { { 2, 3 }, { 5, 6 } })
same(m:index_select(2, { 3, 1 }), { { 3, 1 }, { 6, 4 } })
same(m:index_select(1, { 2, 2 }), { { 4, 5, 6 }, { 4, 5, 6 } })
same(m:gather{ 3, 1 }, { { 3 }, { 4 } })
same(m:gather{ { 3, 1 }, { 1, 2 } }, { { 3, 1 }, { 4, 5 } })
same(m:diagonal(), { { 1 }, { 5 } })
same(m:reshape(3, 2), { { 1, 2 }, { 3, 4 }, { 5, 6 } })
same(Matrix.cat{ m, { { 7, 8, 9 } } }, { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } })
same(Matrix.cat({ m, m }, 2), { { 1, 2, 3, 1, 2, 3 }, { 4, 5, 6, 4, 5, 6 } })
same(Matrix.eye(2), { { 1, 0 }, { 0, 1 } })
same(Matrix.full(1, 2, 7) + Matrix.ones(1, 2) + Matrix.zeros(1, 2), { { 8, 8 } })
local values, places = Matrix{ { 5, 9, 1, 9, 7 } }:topk(3)
same(values, { { 9, 9, 7 } })
assert(places[1][1] == 2 and places[1][2] == 4 and places[1][3] == 5)

-- What is no number is the largest, as in torch; infinite powers have an infinite sum.
local nan, inf = 0 / 0, math.huge
local odd = Matrix{ { 1, nan, 2 } }
values, places = odd:topk(2)
assert(odd:argmax(2)[1] == 2 and places[1][1] == 2 and places[1][2] == 3 and values[1][2] == 2)
assert(odd:topk(2, { largest = false })[1][1] == 1)
assert(Matrix{ { inf, 1 } }:logsumexp(2):item() == inf)
assert(Matrix{ { inf, nan } }:logsumexp(2):item() ~= inf)
assert(Matrix{ { -inf, -inf } }:logsumexp(2):item() == -inf)

-- Files: what is written is read back.
for _, path in ipairs{ "m.npy", "m.safetensors" } do
  m:save(path)
  same(Matrix.load(path), m:tolist())
end
m:save("named.safetensors", { name = "queries" })
same(Matrix.load("named.safetensors", { name = "queries" }), m:tolist())

-- st.util.
local a, b = Matrix{ { 1, 0 }, { 1, 1 } }, Matrix{ { 0, 2 }, { 3, 3 } }
same(st.util.cos_sim(a, b), { { 0, 0.7071068 }, { 0.7071068, 1 } })
same(st.util.dot_score(a, b), { { 0, 3 }, { 2, 6 } })
same(st.util.euclidean_sim(a, b), { { -5 ^ 0.5, -13 ^ 0.5 }, { -2 ^ 0.5, -8 ^ 0.5 } })
same(st.util.manhattan_sim(a, b), { { -3, -5 }, { -2, -4 } })
same(st.util.pairwise_cos_sim(a, b), { { 0 }, { 1 } })
same(st.util.pairwise_dot_score(a, b), { { 0 }, { 6 } })
same(st.util.pairwise_euclidean_sim(a, b), { { -5 ^ 0.5 }, { -8 ^ 0.5 } })
same(st.util.pairwise_manhattan_sim(a, b), { { -3 }, { -4 } })
same(st.util.normalize_embeddings(b), { { 0, 1 }, { 0.7071068, 0.7071068 } })
same(st.util.truncate_embeddings(m, 2), { { 1, 2 }, { 4, 5 } })
local corpus = Matrix{ { 1, 0 }, { 0, 1 }, { 1, 1 }, { -1, 0 } }
for _, chunk in ipairs{ 1, 3, 100 } do
  local hits = st.util.semantic_search(a, corpus, { top_k = 2, corpus_chunk_size = chunk })
  assert(#hits == 2 and #hits[1] == 2)
  assert(hits[1][1].corpus_id == 1 and hits[1][2].corpus_id == 3 and hits[2][1].corpus_id == 3)
  close(hits[1][2].score, 0.7071068)
end
assert(st.util.semantic_search(a, corpus, { score_function = st.util.dot_score })[2][1].score == 2)

-- Embeddings of a model are such matrices.
local model = st.SentenceTransformer("models/tiny")
local embeddings = model:encode{ "a big cat", "a dog", "the cat" }
local scores = model:similarity(embeddings, embeddings)
same(st.util.cos_sim(embeddings, embeddings), scores:tolist())
assert(#embeddings:slice(1, 2) == 2 and (embeddings * 2)[1][1] == 2 * embeddings[1][1])
