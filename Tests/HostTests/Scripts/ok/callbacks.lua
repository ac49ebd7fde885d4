-- Every event of Python's TrainerCallback, in order, and each of the flags that a callback may set.
local st = require "sentence_transformers"
local datasets = require "datasets"

local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })

local function run(callbacks, more)
  local all = { output_dir = "out", num_train_epochs = 2, per_device_train_batch_size = 2,
    logging_strategy = "no", save_strategy = "no", eval_strategy = "no" }
  for name, value in pairs(more or {}) do all[name] = value end
  local model = st.SentenceTransformer("models/tiny")
  local trainer = st.SentenceTransformerTrainer{ model = model, train_dataset = train, eval_dataset = train,
    args = st.SentenceTransformerTrainingArguments(all), callbacks = callbacks,
    loss = st.losses.MultipleNegativesRankingLoss(model) }
  return trainer:train(), trainer
end

-- All events; on_predict and on_push_begin may be there and never come.
local names = { "on_init_end", "on_train_begin", "on_epoch_begin", "on_step_begin", "on_substep_end",
  "on_pre_optimizer_step", "on_optimizer_step", "on_step_end", "on_log", "on_prediction_step", "on_evaluate",
  "on_save", "on_epoch_end", "on_train_end", "on_predict", "on_push_begin" }
local seen, order = {}, {}
local watcher = {}
for _, name in ipairs(names) do
  watcher[name] = function(self, args, state, control, kwargs)
    assert(self == watcher and args.output_dir == "out" and kwargs.model and state.global_step >= 0)
    assert((kwargs.metrics ~= nil) == (name == "on_evaluate") and (kwargs.logs ~= nil) == (name == "on_log"))
    order[#order + 1] = name
    seen[name] = (seen[name] or 0) + 1
  end
end
run({ watcher }, { num_train_epochs = 1, per_device_train_batch_size = 1, gradient_accumulation_steps = 2,
  logging_strategy = "steps", logging_steps = 1, eval_strategy = "epoch", save_strategy = "epoch" })
for i = 1, 14 do assert(seen[names[i]], names[i] .. " never came") end
assert(not seen.on_predict and not seen.on_push_begin)
assert(table.concat(order, " "):find("on_init_end on_train_begin on_epoch_begin on_step_begin on_substep_end "
  .. "on_pre_optimizer_step on_optimizer_step on_step_end on_log", 1, true) == 1)
assert(order[#order] == "on_train_end" and seen.on_step_end == 2 and seen.on_substep_end == 2)

-- A flag set at step 2 takes effect there; callbacks can be classes.
local Setter = {}
Setter.__index = Setter
function Setter:on_step_end(args, state, control)
  if state.global_step == 2 then control[self.flag] = true end
end
function Setter:on_save() self.saved = true end
function Setter:on_evaluate(args, state, control, kwargs) self.evaluated = kwargs.metrics.eval_loss end
function Setter:on_log(args, state) self.logged = self.logged or state.global_step end
local function set(flag)
  local setter = setmetatable({ flag = flag }, Setter)
  return setter, run({ setter }, { per_device_train_batch_size = 1 })
end
local setter, output = set("should_save")
assert(setter.saved and output.global_step == 8)
setter = set("should_evaluate")
assert(setter.evaluated > 0 and not setter.saved)
setter = set("should_log")
assert(setter.logged == 2)
setter, output = set("should_training_stop")
assert(output.global_step == 2)
setter, output = set("should_epoch_stop")
assert(output.global_step == 6, "two steps of the first epoch, four of the second")

-- What a callback returns may be the control, or a table with what it changes.
output = run{ { on_step_end = function(_, _, state)
  return state.global_step == 3 and { should_training_stop = true } or nil
end } }
assert(output.global_step == 3)

-- A callback may evaluate with its trainer, whose events are heard; the flags are kept. It may not train.
local heard, problem = 0, nil
local own = {}
function own.on_step_end(_, _, state, control)
  if state.global_step == 2 then
    control.should_save = true
    assert(own.trainer:evaluate().eval_loss > 0)
    local ok, message = pcall(own.trainer.train, own.trainer)
    problem = not ok and tostring(message)
  end
end
function own.on_evaluate() heard = heard + 1 end
function own.on_save(_, _, state) own.saved = state.global_step end
function own.on_init_end() end
local model = st.SentenceTransformer("models/tiny")
own.trainer = st.SentenceTransformerTrainer{ model = model, train_dataset = train, eval_dataset = train,
  args = st.SentenceTransformerTrainingArguments{ output_dir = "out", num_train_epochs = 1,
    per_device_train_batch_size = 1, logging_strategy = "no", save_strategy = "no" },
  callbacks = { own }, loss = st.losses.MultipleNegativesRankingLoss(model) }
assert(own.trainer:train().global_step == 4 and heard == 1 and own.saved == 2)
assert(problem:find("train: is running already", 1, true), problem)

-- A checkpoint of a run in which epochs end without an update, or that was to make none, can be resumed.
local function resumed(folder, callbacks, more)
  local all = { output_dir = folder, per_device_train_batch_size = 1, logging_strategy = "no" }
  for name, value in pairs(more) do all[name] = value end
  local model = st.SentenceTransformer("models/tiny")
  local trainer = st.SentenceTransformerTrainer{ model = model, train_dataset = train, callbacks = callbacks,
    args = st.SentenceTransformerTrainingArguments(all), loss = st.losses.MultipleNegativesRankingLoss(model) }
  local step = trainer:train().global_step
  return step, trainer:train{ resume_from_checkpoint = true }.global_step
end
local first, again = resumed("none", {}, { max_steps = 0, save_strategy = "steps", save_steps = 1 })
assert(first == 1 and again == 1, again)
first, again = resumed("cut", { { on_substep_end = function(_, _, _, control) control.should_epoch_stop = true end } },
  { gradient_accumulation_steps = 2, num_train_epochs = 2, save_strategy = "epoch" })
assert(first == 0 and again == 0, again)
