-- A search in a storage, gone on with: the best trial's model stays the best trial's.
local st = require "sentence_transformers"
local datasets = require "datasets"
local optuna = require "optuna"
optuna.logging.set_verbosity(optuna.logging.CRITICAL)

local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })
local scored = datasets.load_dataset("json", { data_files = "data/scored.jsonl", split = "train" })
local evaluator = st.evaluation.EmbeddingSimilarityEvaluator{
  sentences1 = scored.sentence1, sentences2 = scored.sentence2, scores = scored.score, name = "dev" }

local function trainer_of(output_dir)
  return st.SentenceTransformerTrainer{
    args = st.SentenceTransformerTrainingArguments{ output_dir = output_dir, save_strategy = "no",
      num_train_epochs = 1, per_device_train_batch_size = 2, logging_strategy = "no" },
    train_dataset = train, evaluator = evaluator,
    model_init = function() return st.SentenceTransformer("models/tiny") end,
    loss = function(model) return st.losses.MultipleNegativesRankingLoss(model) end }
end

-- Later runs judge by another measure: the same metric and a bonus.
local function search(n_trials, bonus, seed, follows)
  return trainer_of("resumed"):hyperparameter_search{
    hp_space = function(trial)
      return { learning_rate = trial:suggest_float("learning_rate", 1e-4, 1e-2, { log = true }) }
    end,
    compute_objective = function(metrics) return metrics.eval_dev_pearson_cosine + bonus end,
    n_trials = n_trials, direction = not follows and "maximize" or nil, study_name = "q", storage = "sqlite:///q.db",
    load_if_exists = true, sampler = optuna.samplers.RandomSampler{ seed = seed } }
end

local function check(best, bonus)
  local found = evaluator(best.model).dev_pearson_cosine + bonus
  assert(math.abs(found - best.objective) < 1e-6, found .. " is not " .. best.objective)
end

local first = search(3, 0, 1)
check(first, 0)

-- Nothing better comes: the model is still there.
local second = search(2, -10, 2)
assert(second.run_id == first.run_id and second.objective == first.objective)
check(second, 0)

-- Something better replaces it.
local third = search(2, 10, 3)
assert(tonumber(third.run_id) >= 5)
check(third, 10)

-- A study that exists keeps its direction; what contradicts it is refused, and no direction follows it.
local function refused(options, message)
  options.n_trials, options.study_name, options.storage, options.load_if_exists = 1, "q", "sqlite:///q.db", true
  local ok, problem = pcall(trainer_of("resumed").hyperparameter_search, trainer_of("resumed"), options)
  assert(not ok and tostring(problem):find(message, 1, true), tostring(problem))
end
refused({ direction = "minimize" }, "hyperparameter_search: direction: the study 'q' has \"maximize\","
  .. " got \"minimize\"; leave direction out to go on with the study, or use another study_name")
refused({ direction = { "maximize", "minimize" } }, "has \"maximize\", got { \"maximize\", \"minimize\" };")
local followed = search(1, -10, 6, true)
assert(followed.run_id == third.run_id and followed.objective == third.objective)
local two = optuna.create_study{ study_name = "two", storage = "sqlite:///q.db", directions = { "maximize", "minimize" } }
local runs = trainer_of("two"):hyperparameter_search{ n_trials = 1, study_name = "two", storage = "sqlite:///q.db",
  load_if_exists = true, hp_space = function(trial) return { seed = trial:suggest_int("seed", 1, 3) } end,
  compute_objective = function(metrics) return { metrics.eval_dev_pearson_cosine, 1 } end }
assert(#runs == 1 and #runs[1].objective == 2)

-- Killed between the result and its model's move to its place, and between the two renames.
for _, place in ipairs{ "resumed/best.unsettled-" .. third.run_id, "resumed/best.previous" } do
  assert(os.rename("resumed/best", place))
  check(search(1, -10, 4), 10)
end

-- Whose model a folder holds says the folder, not its name.
assert(os.rename("resumed/best", "resumed/best.unsettled-999"))
local lost = search(1, -10, 5)
assert(lost.run_id == third.run_id and lost.objective == third.objective)
check(lost, 10)
