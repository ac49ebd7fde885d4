-- Pruning in a search: every evaluation is reported at its step, and a pruned trial trains no further.
local st = require "sentence_transformers"
local datasets = require "datasets"
local optuna = require "optuna"
optuna.logging.set_verbosity(optuna.logging.CRITICAL)

local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })
local scored = datasets.load_dataset("json", { data_files = "data/scored.jsonl", split = "train" })
local evaluator = st.evaluation.EmbeddingSimilarityEvaluator{
  sentences1 = scored.sentence1, sentences2 = scored.sentence2, scores = scored.score, name = "dev" }
local epoch = math.ceil(#train / 2)

-- What the evaluations of each trial say.
local nan = 0 / 0
local plan = { [0] = { 1, 4, 3 }, { 9.5, 1, 1 }, { 2, 9, 1 }, { 0.5, 6, nan }, { nan, 0.25, 5 } }
local current, evaluations, steps
local counter = {}
function counter:on_step_end() steps[current] = (steps[current] or 0) + 1 end

local function search(objective_from, pruner)
  local storage = optuna.storages.InMemoryStorage()
  steps = {}
  st.SentenceTransformerTrainer{
    args = st.SentenceTransformerTrainingArguments{ output_dir = "pruned", save_strategy = "no",
      num_train_epochs = 3, per_device_train_batch_size = 2, logging_strategy = "no", eval_strategy = "epoch" },
    train_dataset = train, evaluator = evaluator, callbacks = { counter },
    model_init = function() return st.SentenceTransformer("models/tiny") end,
    loss = function(model) return st.losses.MultipleNegativesRankingLoss(model) end,
  }:hyperparameter_search{
    hp_space = function(trial)
      current, evaluations = trial.number, 0
      return { learning_rate = trial:suggest_float("learning_rate", 1e-5, 1e-4) }
    end,
    compute_objective = function(metrics)
      assert(metrics.eval_dev_pearson_cosine)
      evaluations = evaluations + 1
      return plan[current][evaluations]
    end,
    objective_from = objective_from, n_trials = 5, catch = true, storage = storage, study_name = "p",
    sampler = optuna.samplers.RandomSampler{ seed = 1 }, pruner = pruner }
  local said = {}
  for i, trial in ipairs(optuna.load_study{ study_name = "p", storage = storage }.trials) do
    local reports = {}
    for n = 1, 3 do reports[n] = trial.intermediate_values[n * epoch] end
    said[i] = trial.state .. " " .. tostring(trial.value) .. " after " .. #reports
    assert(steps[i - 1] == #reports * epoch, "trial " .. i - 1 .. " took " .. steps[i - 1] .. " steps")
    for n = 1, #reports do
      local report = plan[i - 1][n]
      assert(reports[n] == report or reports[n] ~= reports[n] and report ~= report)
    end
  end
  return table.concat(said, ", ")
end

local function check(found, expected) assert(found == expected, found) end
local threshold = optuna.pruners.ThresholdPruner{ upper = 8 }
local nop = optuna.pruners.NopPruner()
check(search("last", threshold), "COMPLETE 3.0 after 3, PRUNED 9.5 after 1, PRUNED 9.0 after 2, "
  .. "PRUNED nil after 3, PRUNED nil after 1")
check(search("last", nop), "COMPLETE 3.0 after 3, COMPLETE 1.0 after 3, COMPLETE 1.0 after 3, "
  .. "FAIL nil after 3, COMPLETE 5.0 after 3")
-- The best evaluation counts; the pruner still hears of each, as it came.
check(search("best", threshold), "COMPLETE 1.0 after 3, PRUNED 9.5 after 1, PRUNED 9.0 after 2, "
  .. "PRUNED nil after 3, PRUNED nil after 1")
check(search("best", nop), "COMPLETE 1.0 after 3, COMPLETE 1.0 after 3, COMPLETE 1.0 after 3, "
  .. "COMPLETE 0.5 after 3, COMPLETE 0.25 after 3")
-- The default pruner compares with the median at the same step, from the sixth trial on.
check(search("last", optuna.pruners.MedianPruner{ n_startup_trials = 1 }), "COMPLETE 3.0 after 3, "
  .. "PRUNED 9.5 after 1, PRUNED 2.0 after 1, FAIL nil after 3, PRUNED nil after 1")
