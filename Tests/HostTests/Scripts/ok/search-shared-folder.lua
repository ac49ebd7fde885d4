-- Searches with one output_dir: none takes away the model of another's running trial, and a model that a
-- later search has replaced is missed, not mistaken for the new one.
local st = require "sentence_transformers"
local datasets = require "datasets"
local optuna = require "optuna"
optuna.logging.set_verbosity(optuna.logging.CRITICAL)

local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })
local scored = datasets.load_dataset("json", { data_files = "data/scored.jsonl", split = "train" })
local evaluator = st.evaluation.EmbeddingSimilarityEvaluator{
  sentences1 = scored.sentence1, sentences2 = scored.sentence2, scores = scored.score, name = "dev" }

local function trainer(output_dir)
  return st.SentenceTransformerTrainer{
    args = st.SentenceTransformerTrainingArguments{ output_dir = output_dir, save_strategy = "no", logging_strategy = "no",
      eval_strategy = "epoch", num_train_epochs = 2, per_device_train_batch_size = 2 },
    train_dataset = train, evaluator = evaluator,
    model_init = function() return st.SentenceTransformer("models/tiny") end,
    loss = function(model) return st.losses.MultipleNegativesRankingLoss(model) end }
end

local function search(owner, name, rate, objective)
  return owner:hyperparameter_search{
    hp_space = function(trial) return { learning_rate = trial:suggest_float("learning_rate", rate, rate) } end,
    compute_objective = objective, n_trials = 1, direction = "maximize", objective_from = "best", study_name = name }
end

local function measure(metrics) return metrics.eval_dev_pearson_cosine end
local function score(model) return evaluator(model).dev_pearson_cosine end
local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

-- The outer trial has offered the model of its first epoch when the inner search runs from end to end: trial 0 too.
local inner, inner_trainer
local evaluations = 0
local offered
local outer_trainer = trainer("shared")
local outer = search(outer_trainer, "outer", 1e-2, function(metrics)
  evaluations = evaluations + 1
  if evaluations == 1 then
    offered = measure(metrics)
    return offered
  end
  assert(exists("shared/best.unsettled-0/search_trial.json"))
  inner_trainer = trainer("shared")
  inner = search(inner_trainer, "inner", 1e-3, measure)
  assert(inner.model_path == "shared/best" and exists("shared/best/modules.json"))
  return -9
end)
assert(evaluations == 2 and outer.objective == offered)
assert(math.abs(score(outer.model) - offered) < 1e-6)
for _, name in ipairs{ "best.unsettled-0", "best.unsettled-0-2", "best.previous" } do
  assert(not exists("shared/" .. name .. "/modules.json"), name)
end

-- The inner one's model is gone, from the run and from the trainer.
local message = "'shared/best': the model of trial 0 of the study 'inner' is not kept any more: that of trial 0 of the"
  .. " study 'outer' is there now; give each search an output_dir of its own, or read best.model before the next search"
for _, read in ipairs{ function() return inner.model end, function() return inner_trainer.model end } do
  local ok, problem = pcall(read)
  assert(not ok and tostring(problem):find(message, 1, true), tostring(problem))
end
assert(math.abs(score(outer_trainer.model) - offered) < 1e-6)

-- A model that was read in time stays.
local first = search(trainer("apart"), "first", 1e-2, measure)
local model = first.model
local second = search(trainer("apart"), "second", 1e-3, measure)
assert(first.model == model and math.abs(score(model) - first.objective) < 1e-6)
assert(math.abs(score(second.model) - second.objective) < 1e-6)
