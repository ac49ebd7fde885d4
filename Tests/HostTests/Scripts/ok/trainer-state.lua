-- What a trainer says about itself, before a training, in it and after it.
local st = require "sentence_transformers"
local datasets = require "datasets"

local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })
local scored = datasets.load_dataset("json", { data_files = "data/scored.jsonl", split = "train" })
local model = st.SentenceTransformer("models/tiny")
local evaluator = st.evaluation.EmbeddingSimilarityEvaluator{
  sentences1 = scored.sentence1, sentences2 = scored.sentence2, scores = scored.score, name = "dev" }

local function check(state)
  assert(state.is_world_process_zero and state.is_local_process_zero and not state.is_hyper_param_search)
  assert(state.total_flos == 0 and state.num_input_tokens_seen == 0)
  assert(state.best_metric == nil and state.trial_name == nil, "known, and nil")
  local ok, problem = pcall(function() return state.best_metrics end)
  assert(not ok and tostring(problem):find("did you mean 'best_metric'?", 1, true), problem)
end

local events = 0
local watcher = {}
function watcher:on_step_end(_, state)
  events = events + 1
  check(state)
end
local function trainer(max_steps)
  return st.SentenceTransformerTrainer{
    model = model, train_dataset = train, evaluator = evaluator, callbacks = { watcher },
    loss = st.losses.MultipleNegativesRankingLoss(model),
    args = st.SentenceTransformerTrainingArguments{
      output_dir = "out", save_strategy = "no", per_device_train_batch_size = 2, logging_steps = 1,
      max_steps = max_steps } }
end

-- Nothing has been trained: epoch 0, in the log, the metrics and the evaluator's file.
local fresh = trainer(2)
check(fresh.state)
assert(fresh.state.epoch == 0 and fresh.state.global_step == 0)
assert(fresh:evaluate().epoch == 0 and fresh.state.log_history[1].epoch == 0)
local lines = {}
for line in io.lines("out/eval/similarity_evaluation_dev_results.csv") do lines[#lines + 1] = line end
assert(lines[2]:find("^0,0,"), lines[2])
fresh:train()
assert(events == 2 and fresh.state.epoch == 1)
check(fresh.state)

-- max_steps = 0 is found out after one update, of rate 0.
local once = trainer(0)
assert(once:train().global_step == 1)
assert(once.state.max_steps == 0 and once.state.log_history[1].learning_rate == 0)
