-- New models for fixtures: the same for the same seed, trained, searched over, saved, loaded.
local st = require "sentence_transformers"
local datasets = require "datasets"
local optuna = require "optuna"

local corpus = { "a big cat", "the cat is big", "a red house", "the house is red", "the dog ran" }
local function make(more)
  local all = { architecture = "bert", hidden_size = 32, num_hidden_layers = 2, corpus = corpus, seed = 1,
    max_position_embeddings = 32 }
  for name, value in pairs(more or {}) do all[name] = value end
  return st.SentenceTransformer.from_config(all)
end

for _, architecture in ipairs{ "bert", "distilbert" } do
  local model = make{ architecture = architecture }
  assert(model:get_sentence_embedding_dimension() == 32 and model.max_seq_length == 32)
  local one, two = model:encode("a big dog"), make{ architecture = architecture }:encode("a big dog")
  local other = make{ architecture = architecture, seed = 2 }:encode("a big dog")
  for i = 1, 32 do assert(one[i] == two[i]) end
  assert(one[1] ~= other[1])
  model:save_pretrained(architecture)
  local loaded = st.SentenceTransformer(architecture):encode("a big dog")
  for i = 1, 32 do assert(one[i] == loaded[i]) end
end
local unit = make{ normalize = true, pooling_mode = "cls" }:encode{ "a cat" }
assert(math.abs(unit:norm():item() - 1) < 1e-6)
local spelt = st.SentenceTransformer.from_config{ hidden_size = 16, num_hidden_layers = 1,
  vocab = { "a", "##a", "b", "##b" } }
assert(spelt:encode("abba")[1] == spelt:encode("ABBA")[1] and spelt:encode("ab")[1] ~= spelt:encode("ba")[1])

-- Sizes that no model has.
for _, size in ipairs{ math.maxinteger, 1 << 25, 0, -1 } do
  local ok, message = pcall(st.SentenceTransformer.from_config, { hidden_size = size, corpus = { "a" } })
  assert(not ok and tostring(message):find("hidden_size", 1, true), tostring(message))
end

-- A tiny sweep, whole.
local train = datasets.Dataset.from_list{
  { anchor = "a big cat", positive = "the cat is big" },
  { anchor = "a red house", positive = "the house is red" },
  { anchor = "the dog ran", positive = "a big dog" } }
local evaluator = st.evaluation.EmbeddingSimilarityEvaluator{
  sentences1 = train.anchor, sentences2 = { "a cat", "the big house", "the dog ran" },
  scores = { 0.9, 0.3, 1 }, name = "dev" }
local searcher = st.SentenceTransformerTrainer{
  args = st.SentenceTransformerTrainingArguments{ output_dir = "out", save_strategy = "no",
    num_train_epochs = 1, per_device_train_batch_size = 3 },
  train_dataset = train, evaluator = evaluator, model_init = function() return make() end,
  loss = function(model) return st.losses.MultipleNegativesRankingLoss(model) end }
local best = searcher:hyperparameter_search{
  hp_space = function(trial)
    return { learning_rate = trial:suggest_float("learning_rate", 1e-5, 1e-2, { log = true }) }
  end,
  compute_objective = function(metrics) return metrics.eval_dev_spearman_cosine end,
  n_trials = 3, direction = "maximize", sampler = optuna.samplers.RandomSampler{ seed = 1 } }
assert(evaluator(best.model).dev_spearman_cosine == best.objective)
