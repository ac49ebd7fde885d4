-- Trials side by side: the same numbers as one after the other, and everything that can happen to a
-- trial happens to its own trial only.
local st = require "sentence_transformers"
local datasets = require "datasets"
local optuna = require "optuna"
optuna.logging.set_verbosity(optuna.logging.CRITICAL)

local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })
local scored = datasets.load_dataset("json", { data_files = "data/scored.jsonl", split = "train" })
local evaluator = st.evaluation.EmbeddingSimilarityEvaluator{
  sentences1 = scored.sentence1, sentences2 = scored.sentence2, scores = scored.score, name = "dev" }

-- Callbacks run one at a time: none begins before the one before it has ended.
local inside = 0
local function alone(f)
  return function(...)
    assert(inside == 0, "two callbacks at the same time")
    inside = inside + 1
    local results = table.pack(f(...))
    for i = 1, 1000 do local _ = i end
    inside = inside - 1
    return table.unpack(results, 1, results.n)
  end
end

local steps = 0
local counter = {}
counter.on_step_end = alone(function() steps = steps + 1 end)

local function search(more, arguments)
  local args = { output_dir = "out", save_strategy = "no", num_train_epochs = 2,
    per_device_train_batch_size = 2, learning_rate = 1e-3, logging_strategy = "no" }
  for name, value in pairs(arguments or {}) do args[name] = value end
  local trainer = st.SentenceTransformerTrainer{
    args = st.SentenceTransformerTrainingArguments(args), train_dataset = train,
    evaluator = { evaluator, alone(function() return { constant = 1 } end) },
    callbacks = { counter },
    model_init = alone(function() return st.SentenceTransformer("models/tiny") end),
    loss = alone(function(model) return st.losses.MultipleNegativesRankingLoss(model) end) }
  local values = {}
  local all = {
    hp_space = alone(function(trial)
      return { learning_rate = trial:suggest_float("learning_rate", 1e-4, 1e-2, { log = true }),
        num_train_epochs = trial:suggest_int("num_train_epochs", 1, 4),
        seed = trial:suggest_int("seed", 1, 40) }
    end),
    compute_objective = alone(function(metrics)
      assert(metrics.eval_constant == 1)
      values[#values + 1] = metrics.eval_dev_pearson_cosine
      return metrics.eval_dev_pearson_cosine
    end),
    n_trials = 8, direction = "maximize", sampler = optuna.samplers.RandomSampler{ seed = 3 } }
  for name, value in pairs(more or {}) do all[name] = value end
  local best = trainer:hyperparameter_search(all)
  table.sort(values)
  return best, values, trainer
end

-- The same trials for any number of jobs, bit for bit, and the same best model.
local one, values = search()
local done = steps
for _, jobs in ipairs{ 2, 3, -1 } do
  steps = 0
  local best, others, trainer = search{ n_jobs = jobs }
  assert(best.run_id == one.run_id and best.objective == one.objective)
  assert(#others == #values and steps == done)
  for i, value in ipairs(values) do assert(others[i] == value) end
  assert(evaluator(best.model).dev_pearson_cosine == best.objective)
  assert(evaluator(trainer.model).dev_pearson_cosine == best.objective)
end

-- Several objectives: each best run has its model.
local runs = search{ n_jobs = 2, direction = { "maximize", "minimize" },
  compute_objective = function(metrics)
    return { metrics.eval_dev_pearson_cosine, metrics.eval_dev_spearman_cosine } end }
for _, run in ipairs(runs) do assert(evaluator(run.model).dev_pearson_cosine == run.objective[1]) end

-- Pruning, also from a callback of the script, and errors, caught or not.
local study = optuna.create_study{ direction = "maximize", study_name = "q" }
local pruned = 0
local best = search({ n_jobs = 3, objective_from = "best", pruner = optuna.pruners.NopPruner(),
  compute_objective = function(metrics)
    pruned = pruned + 1
    if pruned == 2 then optuna.prune() end
    return metrics.eval_dev_pearson_cosine
  end }, { eval_strategy = "epoch" })
assert(evaluator(best.model).dev_pearson_cosine == best.objective)

local calls = 0
local function failing(metrics)
  calls = calls + 1
  if calls == 2 then error("no luck") end
  return metrics.eval_dev_pearson_cosine
end
assert(search{ n_jobs = 2, catch = true, compute_objective = failing }.objective)
calls = 0
local ok, message = pcall(search, { n_jobs = 2, compute_objective = failing })
assert(not ok and tostring(message):find("no luck", 1, true), tostring(message))

-- One model can't be trained by two trials.
local shared = st.SentenceTransformer("models/tiny")
ok, message = pcall(function()
  return st.SentenceTransformerTrainer{
    args = st.SentenceTransformerTrainingArguments{ output_dir = "out", num_train_epochs = 200,
      save_strategy = "no", logging_strategy = "no", per_device_train_batch_size = 2 },
    train_dataset = train, evaluator = evaluator, model_init = function() return shared end,
    loss = function(model) return st.losses.MultipleNegativesRankingLoss(model) end
  }:hyperparameter_search{ n_jobs = 2, n_trials = 4, hp_space = function() return {} end }
end)
assert(not ok and tostring(message):find("returned the model that trial %d+ is training"),
  tostring(message))

-- A study's own loop: the objective of one trial at a time, callbacks and stop as ever.
local seen, told = {}, 0
study:optimize(function(trial)
  if trial.number == 5 then optuna.prune() end
  return alone(function()
    seen[trial.number] = true
    return trial:suggest_float("x", 0, 1)
  end)()
end, { n_trials = 20, n_jobs = 4, callbacks = { alone(function(_, trial) told = told + 1 end) } })
assert(#study.trials == 20 and told == 20 and seen[19])
assert(study.trials[6].state == "PRUNED")
study:optimize(function(trial)
  if trial.number > 30 then study:stop() end
  return 0
end, { n_jobs = 2 })
ok, message = pcall(function()
  study:optimize(function(trial)
    optuna.create_study{}:optimize(function() return 1 end, { n_trials = 1, n_jobs = 2 })
    return 0
  end, { n_trials = 2, n_jobs = 2 })
end)
assert(not ok and tostring(message):find("use n_jobs = 1 here", 1, true), tostring(message))
