-- Hyperparameter search on a real model, from the data to the best model on disk; `make sweep` runs
-- it. The data, made for this script, is in the words of a house that no general model can know:
-- scripts/data/README.md.
--
--   st-host scripts/sweep.lua [--model FOLDER] [--n_trials N] [--output FOLDER]

local datasets = require "datasets"
local optuna = require "optuna"
local st = require "sentence_transformers"

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local options = {
  model = os.getenv("ST_HOST_MODEL") or here .. "/../.models/all-MiniLM-L6-v2",
  n_trials = "6",
  output = "sweep-output",
}
for i = 1, #arg, 2 do
  local name = arg[i]:match("^%-%-(.+)$")
  if options[name] == nil or arg[i + 1] == nil then
    error("usage: st-host sweep.lua [--model FOLDER] [--n_trials N] [--output FOLDER]", 0)
  end
  options[name] = arg[i + 1]
end

-- 1. Load the training pairs, and the pairs that are scored: a model is chosen on dev and shown
--    once on test, which no choice depends on. The data has triplets; their negatives are left
--    out, as the other rows of a batch are negatives already and a third less text trains faster.
local function load(name)
  return datasets.load_dataset("json", {
    data_files = here .. "/data/" .. name .. ".jsonl", split = "train" })
end
local train_dataset = load("train"):select_columns{ "anchor", "positive" }

-- 2. Create an evaluator of each: how well cosines rank the pairs.
local function evaluator(name)
  local pairs = load(name)
  return st.evaluation.EmbeddingSimilarityEvaluator{
    sentences1 = pairs.sentence1,
    sentences2 = pairs.sentence2,
    scores = pairs.score,
    main_similarity = st.SimilarityFunction.COSINE,
    name = name,
    write_csv = false,
  }
end
local dev_evaluator, test_evaluator = evaluator("dev"), evaluator("test")

local function report(what, model)
  print(string.format("%-24s dev spearman_cosine %.4f   test %.4f", what,
    dev_evaluator(model).dev_spearman_cosine, test_evaluator(model).test_spearman_cosine))
end

-- 3. Define what is searched.
local function hp_space(trial)
  return {
    num_train_epochs = trial:suggest_int("num_train_epochs", 1, 2),
    per_device_train_batch_size = trial:suggest_int("per_device_train_batch_size", 8, 32),
    warmup_steps = trial:suggest_float("warmup_steps", 0, 0.3),  -- below 1: part of all steps
    learning_rate = trial:suggest_float("learning_rate", 5e-5, 1e-3, { log = true }),
  }
end

-- 4. Every trial starts from the same model.
local function model_init(trial)
  return st.SentenceTransformer(options.model)
end

-- 5. The loss of a trial's model.
local function loss_init(model)
  return st.losses.MultipleNegativesRankingLoss(model)
end

-- 6. What the search maximises.
local function compute_objective(metrics)
  return metrics.eval_dev_spearman_cosine
end

-- 7. Define the arguments that no trial changes.
local function arguments()
  return st.SentenceTransformerTrainingArguments{
    output_dir = options.output,
    batch_sampler = st.BatchSamplers.NO_DUPLICATES,  -- a duplicate would be a wrong negative
    eval_strategy = "no",
    save_strategy = "no",
    seed = 42,
  }
end

-- 8. Look at the model as it is, and trained with the default arguments: batches of 8, learning
--    rate 5e-5, 3 epochs.
report("untouched", model_init())

local function trainer()
  return st.SentenceTransformerTrainer{
    model = nil,
    args = arguments(),
    train_dataset = train_dataset,
    evaluator = dev_evaluator,
    model_init = model_init,
    loss = loss_init,
  }
end
local default_trainer = trainer()
default_trainer:train()
report("default arguments", default_trainer.model)

-- 9. Search. The sampler's seed makes the search the same every time.
local best = trainer():hyperparameter_search{
  hp_space = hp_space,
  compute_objective = compute_objective,
  n_trials = math.tointeger(options.n_trials),
  direction = "maximize",
  backend = "optuna",
  sampler = optuna.samplers.TPESampler{ seed = 42 },
}
print(best)

-- 10. The best trial's model is on disk; loaded again it gives the objective of its trial.
report("best trial", st.SentenceTransformer(options.output .. "/best"))
print("the best model is in " .. options.output .. "/best")
