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

-- What an evaluator says about tables that are not right.
local function refusal(body)
  local ok, problem = pcall(body)
  assert(not ok)
  return tostring(problem)
end
local problem = refusal(function()
  st.evaluation.InformationRetrievalEvaluator({ q = "a" }, { [1] = "a", ["1"] = "b" }, { q = { 1 } })
end)
assert(problem:find("corpus: the id 1 is there as a number and as a string", 1, true), problem)
problem = refusal(function()
  st.evaluation.RerankingEvaluator({ { query = "a", positives = { "b" }, negative = "c" } })
end)
assert(problem:find("samples[1].positive: is missing; a sample has query, positive and negative", 1, true), problem)
problem = refusal(function()
  st.evaluation.RerankingEvaluator({ { query = "a", positive = { 1, "b" }, negative = "c" } })
end)
assert(problem:find("samples[1].positive[1]: expected string, got number", 1, true), problem)

-- The default prompt stays among the prompts.
model.prompts = { a = "x: " }
model.default_prompt_name = "a"
problem = refusal(function() model.prompts = { b = "y: " } end)
assert(problem:find("prompts: default_prompt_name 'a' is not among them; set it to nil first", 1, true), problem)
assert(model.prompts.a == "x: ")
model.default_prompt_name = nil
model.prompts = { b = "y: " }
