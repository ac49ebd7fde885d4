-- A trainer from Lua: training, evaluation, callbacks, checkpoints, and a search with its best model.
local st = require "sentence_transformers"
local datasets = require "datasets"
local optuna = require "optuna"

local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })
local scored = datasets.load_dataset("json", { data_files = "data/scored.jsonl", split = "train" })
local evaluator = st.evaluation.EmbeddingSimilarityEvaluator{
  sentences1 = scored.sentence1, sentences2 = scored.sentence2, scores = scored.score, name = "dev" }
local function loss(model) return st.losses.MultipleNegativesRankingLoss(model) end
local function arguments(more)
  local all = { output_dir = "out", save_strategy = "no", num_train_epochs = 2,
    per_device_train_batch_size = 2, learning_rate = 1e-3 }
  for name, value in pairs(more or {}) do all[name] = value end
  return st.SentenceTransformerTrainingArguments(all)
end

-- Training changes the model, tells callbacks, and fills the history.
local model = st.SentenceTransformer("models/tiny")
local before = model:encode("a big cat")
assert(#before == model:get_sentence_embedding_dimension())
local seen = {}
local callback = {}
function callback:on_log(args, state, control, kwargs)
  assert(self == callback and args.learning_rate == 1e-3 and kwargs.model == model)
  seen[#seen + 1] = state.global_step
end
function callback:on_step_end(args, state, control)
  if state.global_step == 2 then control.should_training_stop = true end
end
local trainer = st.SentenceTransformerTrainer{
  model = model, args = arguments{ logging_steps = 1 }, train_dataset = train,
  evaluator = evaluator, loss = loss(model), callbacks = { callback } }
local output = trainer:train()
assert(output.global_step == 2, "the callback stops after two updates")
assert(output.training_loss == output.metrics.train_loss)
assert(seen[1] == 1 and seen[2] == 2)
assert(trainer.state.log_history[1].loss > 0 and trainer.state.log_history[1].step == 1)
assert(model:encode("a big cat")[1] ~= before[1])
assert(trainer:evaluate()["eval_dev_spearman_cosine"] == evaluator(model).dev_spearman_cosine)

-- Other data, other keys; the trainer's own data are fields.
local other = trainer:evaluate{ eval_dataset = train, metric_key_prefix = "other" }
assert(other.other_loss > 0 and other.other_dev_spearman_cosine and not other.eval_loss)
assert(#trainer.train_dataset == #train and trainer.eval_dataset == nil)
local named = trainer:evaluate{ eval_dataset = { a = train, b = train } }
assert(named.eval_a_loss == named.eval_b_loss and named.eval_a_dev_spearman_cosine)

-- An evaluator may be the model's to call.
assert(model:evaluate(evaluator).dev_spearman_cosine == evaluator(model).dev_spearman_cosine)

-- A saved model gives its vectors again.
trainer:save_model("saved")
local again = st.SentenceTransformer("saved"):encode("a big cat")
for i, value in ipairs(model:encode("a big cat")) do assert(again[i] == value) end

-- A search: each trial gets a model and a loss of its own, its arguments, and the best model stays.
local losses, models = 0, 0
local searcher = st.SentenceTransformerTrainer{
  args = arguments(), train_dataset = train, evaluator = evaluator,
  model_init = function(trial)
    models = models + 1
    if trial then assert(trial.params.learning_rate, "hp_space comes before model_init") end
    return st.SentenceTransformer("models/tiny")
  end,
  loss = function(model) losses = losses + 1; return loss(model) end }
local function search(more)
  local all = {
    hp_space = function(trial)
      return { learning_rate = trial:suggest_float("learning_rate", 1e-4, 1e-2, { log = true }),
        seed = trial:suggest_int("seed", 1, 40), warmup_ratio = 0.5 }
    end,
    compute_objective = function(metrics) return metrics.eval_dev_pearson_cosine end,
    n_trials = 4, direction = "maximize", sampler = optuna.samplers.TPESampler{ seed = 1 } }
  for name, value in pairs(more or {}) do all[name] = value end
  return searcher:hyperparameter_search(all)
end
local best = search()
assert(models == 5 and losses == 5, "one for the trainer, one for each trial")
assert(best.hyperparameters.learning_rate > 0 and best.run_summary == nil)
assert(tostring(best):find("^BestRun%(run_id='%d', objective=[%-%d.e]+, hyperparameters={'learning_rate'"))
assert(evaluator(best.model).dev_pearson_cosine == best.objective)
assert(evaluator(searcher.model).dev_pearson_cosine == best.objective, "the trainer has it, too")
assert(searcher.args.learning_rate == 1e-3, "the trainer's arguments are as before")

-- The same seed gives the same run, bit for bit.
local repeated = search()
assert(repeated.run_id == best.run_id and repeated.objective == best.objective)

-- The best evaluation of a trial is never worse than its last one.
searcher.args.eval_strategy, searcher.args.eval_steps = "steps", 1
local last = search{ pruner = optuna.pruners.NopPruner() }
local top = search{ pruner = optuna.pruners.NopPruner(), objective_from = "best" }
assert(top.objective >= last.objective)
assert(evaluator(top.model).dev_pearson_cosine == top.objective)
searcher.args.eval_strategy = "no"

-- Several objectives: the runs that no other one beats, each with its model.
local runs = search{ direction = { "maximize", "minimize" }, compute_objective = function(metrics)
  return { metrics.eval_dev_pearson_cosine, metrics.eval_dev_spearman_cosine } end }
assert(#runs >= 1)
for _, run in ipairs(runs) do
  assert(evaluator(run.model).dev_pearson_cosine == run.objective[1])
end

-- A trial that fails is passed over when asked for.
local count = 0
local caught = search{ catch = true, compute_objective = function(metrics)
  count = count + 1
  if count == 1 then error("no luck") end
  return metrics.eval_dev_pearson_cosine
end }
assert(caught.run_id ~= "0")

-- Without a kept model, asking for it is a clear error.
local ok, message = pcall(function() return search{ keep_best_model = false }.model end)
assert(not ok and tostring(message):find("keep_best_model = true", 1, true))

-- The parameters found make the final model.
searcher:apply_hyperparameters(best.hyperparameters, { final_model = true })
assert(searcher.args.learning_rate == best.hyperparameters.learning_rate)
local made = models
searcher:train()
assert(models == made, "the final model was made already")
