-- Evaluators of the script's own, and sequences of them.
local st = require "sentence_transformers"
local model = st.SentenceTransformer.from_config{ hidden_size = 16, num_hidden_layers = 1, seed = 2,
  corpus = { "a big cat", "the red house", "a dog ran" }, max_position_embeddings = 16 }

-- A table that can be called is an evaluator, with its own primary metric.
local Counter = {}
Counter.__index = Counter
Counter.__call = function(self, given)
  assert(given == model)
  self.calls = self.calls + 1
  return { calls = self.calls, zeros = 0 }
end
local counter = setmetatable({ calls = 0, primary_metric = "calls" }, Counter)
local both = st.evaluation.SequentialEvaluator({ function() return 0.5 end, counter },
  { main_score_function = function(scores) return scores[1] + scores[2] end })
local metrics = both(model)
assert(metrics.evaluator == 0.5 and metrics.calls == 1 and metrics.sequential_score == 1.5)
assert(both(model).sequential_score == 2.5 and both.primary_metric == "sequential_score")

-- Names of arguments in one table, also where the first argument is a table itself.
local texts = { a = "a big cat", b = "the red house", c = "a dog ran" }
local search = st.evaluation.InformationRetrievalEvaluator{ queries = { q = "a big cat" }, corpus = texts,
  relevant_docs = { q = { "a" } }, name = "cosine", score_functions = { "dot", "cosine" } }
assert(search.primary_metric == nil)
local found = search(model)
assert(found["cosine_cosine_ndcg@10"] == 1 and found["cosine_dot_mrr@10"])
assert(found[search.primary_metric])
assert(model:evaluate{ evaluator = function() return 0.25 end }.evaluator == 0.25)
