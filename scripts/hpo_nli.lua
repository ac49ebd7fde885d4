-- The hyperparameter optimization example of the sentence-transformers documentation, in Lua:
-- DistilBERT on 10,000 NLI triplets, 20 trials, judged on the STS benchmark.
--
--   st-host scripts/hpo_nli.lua
--
-- Model and data can be folders and files instead, and the search shorter:
--
--   st-host scripts/hpo_nli.lua --model FOLDER --train TRIPLETS.jsonl --sts PAIRS.jsonl --n_trials 4

local datasets = require "datasets"
local st = require "sentence_transformers"

local options = {
  model = "distilbert-base-uncased",
  train = "",              -- a file with anchor, positive, negative in place of all-nli
  sts = "",                -- a file with sentence1, sentence2, score in place of stsb
  rows = "10000",          -- of the training triplets
  n_trials = "20",
  output = "checkpoints",
}
for i = 1, #arg, 2 do
  local name = arg[i]:match("^%-%-(.+)$")
  if options[name] == nil or arg[i + 1] == nil then
    error("hpo_nli.lua: unknown option '" .. arg[i] .. "', or one without its value", 0)
  end
  options[name] = arg[i + 1]
end

-- 1. Load 10,000 triplets to train with and 1,000 for the evaluation loss.
local train_dataset, eval_dataset
if options.train == "" then
  train_dataset = datasets.load_dataset("sentence-transformers/all-nli", "triplet",
    { split = "train[:" .. options.rows .. "]" })
  eval_dataset = datasets.load_dataset("sentence-transformers/all-nli", "triplet",
    { split = "dev[:1000]" })
else
  -- One file: its last tenth, at most 1,000 rows, is kept from training.
  local function slice(text)
    return datasets.load_dataset("json", { data_files = options.train, split = "train" .. text })
  end
  local all = #slice("")
  local held_out = math.min(1000, all // 10)
  local rows = math.min(math.tointeger(options.rows), all - held_out)
  train_dataset = slice("[:" .. rows .. "]")
  eval_dataset = slice("[-" .. held_out .. ":]")
end

-- 2. Create the evaluator that judges a trial.
local stsb_eval_dataset
if options.sts == "" then
  stsb_eval_dataset = datasets.load_dataset("sentence-transformers/stsb", { split = "validation" })
else
  stsb_eval_dataset = datasets.load_dataset("json", { data_files = options.sts, split = "train" })
end
local dev_evaluator = st.evaluation.EmbeddingSimilarityEvaluator{
  sentences1 = stsb_eval_dataset.sentence1,
  sentences2 = stsb_eval_dataset.sentence2,
  scores = stsb_eval_dataset.score,
  main_similarity = st.SimilarityFunction.COSINE,
  name = "sts-dev",
}

-- 3. Define the search space.
local function hpo_search_space(trial)
  return {
    num_train_epochs = trial:suggest_int("num_train_epochs", 1, 2),
    per_device_train_batch_size = trial:suggest_int("per_device_train_batch_size", 32, 128),
    warmup_steps = trial:suggest_float("warmup_steps", 0, 0.3),  -- below 1: part of all steps
    learning_rate = trial:suggest_float("learning_rate", 1e-6, 1e-4, { log = true }),
  }
end

-- 4. Define how a trial gets its model,
local function hpo_model_init(trial)
  return st.SentenceTransformer(options.model)
end

-- 5. and its loss.
local function hpo_loss_init(model)
  return st.losses.MultipleNegativesRankingLoss(model)
end

-- 6. Define the objective. The metrics are eval_loss, eval_sts-dev_pearson_cosine,
--    eval_sts-dev_spearman_cosine, and times.
local function hpo_compute_objective(metrics)
  return metrics["eval_sts-dev_spearman_cosine"]
end

-- 7. Define the training arguments.
local args = st.SentenceTransformerTrainingArguments{
  output_dir = options.output,
  bf16 = false,
  batch_sampler = st.BatchSamplers.NO_DUPLICATES,  -- a duplicate would be a wrong negative
  eval_strategy = "no",
  save_strategy = "no",
  logging_steps = 10,
  run_name = "hpo",
}

-- 8. Create the trainer, with model_init and not with a model.
local trainer = st.SentenceTransformerTrainer{
  model = nil,
  args = args,
  train_dataset = train_dataset,
  eval_dataset = eval_dataset,
  evaluator = dev_evaluator,
  model_init = hpo_model_init,
  loss = hpo_loss_init,
}

-- 9. Search.
local best_trial = trainer:hyperparameter_search{
  hp_space = hpo_search_space,
  compute_objective = hpo_compute_objective,
  n_trials = math.tointeger(options.n_trials),
  direction = "maximize",
  backend = "optuna",
}
print(best_trial)
