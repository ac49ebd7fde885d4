-- A search with the space of most examples, for run.py, which takes the time of the whole process.
-- After each trial it prints the process's peak of memory: {"trial": ..., "peak_mb": ...}.
-- usage: search.lua MODEL TRIPLETS PAIRS ROWS TRIALS JOBS BATCH_LOW BATCH_HIGH
local datasets = require "datasets"
local optuna = require "optuna"
local st = require "sentence_transformers"

local path, triplets, pairs, rows, trials, jobs, low, high = table.unpack(arg)
local train = datasets.load_dataset("json", {
  data_files = triplets, split = "train[:" .. rows .. "]" })
local dev = datasets.load_dataset("json", { data_files = pairs, split = "train" })

local function peak()
  for line in io.lines("/proc/self/status") do
    local kilobytes = line:match("^VmHWM:%s*(%d+)")
    if kilobytes then return kilobytes * 1024 / 1e6 end
  end
  return 0
end

local trainer = st.SentenceTransformerTrainer{
  args = st.SentenceTransformerTrainingArguments{
    output_dir = os.tmpname() .. ".run", batch_sampler = st.BatchSamplers.NO_DUPLICATES,
    eval_strategy = "no", save_strategy = "no", logging_strategy = "no", disable_tqdm = true },
  train_dataset = train,
  evaluator = st.evaluation.EmbeddingSimilarityEvaluator{
    sentences1 = dev.sentence1, sentences2 = dev.sentence2, scores = dev.score,
    main_similarity = "cosine", name = "dev", write_csv = false },
  model_init = function() return st.SentenceTransformer(path) end,
  loss = function(model) return st.losses.MultipleNegativesRankingLoss(model) end }

local done = 0
local best = trainer:hyperparameter_search{
  hp_space = function(trial)
    return {
      num_train_epochs = trial:suggest_int("num_train_epochs", 1, 2),
      per_device_train_batch_size = trial:suggest_int(
        "per_device_train_batch_size", math.tointeger(low), math.tointeger(high)),
      warmup_ratio = trial:suggest_float("warmup_ratio", 0, 0.3),
      learning_rate = trial:suggest_float("learning_rate", 1e-6, 1e-4, { log = true }) }
  end,
  compute_objective = function(metrics)
    print(('{"trial": %d, "peak_mb": %.1f}'):format(done, peak()))
    done = done + 1
    return metrics.eval_dev_spearman_cosine
  end,
  n_trials = math.tointeger(trials), n_jobs = math.tointeger(jobs), direction = "maximize",
  keep_best_model = false, sampler = optuna.samplers.TPESampler{ seed = 42 } }
print(('{"objective": %.10f}'):format(best.objective))
