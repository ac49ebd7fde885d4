-- Arguments that change after a training: the history stays, and the next call follows them.
local st = require "sentence_transformers"
local datasets = require "datasets"

local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })
local model = st.SentenceTransformer("models/tiny")
local args = st.SentenceTransformerTrainingArguments{
  output_dir = "out", save_strategy = "no", num_train_epochs = 1, per_device_train_batch_size = 2,
  logging_steps = 1 }
local trainer
local watcher = {}
function watcher:on_step_end(_, state)
  -- In the middle of a run, too.
  args.per_device_eval_batch_size = 3
  assert(trainer.state.global_step == state.global_step and trainer.state.max_steps == state.max_steps)
end
trainer = st.SentenceTransformerTrainer{
  model = model, args = args, train_dataset = train, eval_dataset = train,
  loss = st.losses.MultipleNegativesRankingLoss(model), callbacks = { watcher } }
trainer:train()
local entries = #trainer.state.log_history
assert(entries > 1)

args.per_device_eval_batch_size = 16
assert(#trainer.state.log_history == entries, "an assignment leaves the history")
trainer:evaluate()
local last = trainer.state.log_history[entries + 1]
assert(last.eval_loss and last.epoch == 1, "the evaluation knows where the run stands")

trainer:apply_hyperparameters{ num_train_epochs = 2 }
assert(#trainer.state.log_history == entries + 1)
trainer:train()
assert(trainer.state.num_train_epochs == 2 and trainer.state.epoch == 2)

-- A training that can't begin leaves it, too.
entries = #trainer.state.log_history
local ok, problem = pcall(trainer.train, trainer, true)
assert(not ok and tostring(problem):find("holds no checkpoint", 1, true), problem)
assert(#trainer.state.log_history == entries)
