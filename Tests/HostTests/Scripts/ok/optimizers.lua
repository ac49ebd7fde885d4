-- Every optimizer trains, goes on from a checkpoint with the same numbers, and keeps its own options.
local st = require "sentence_transformers"
local datasets = require "datasets"
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })

local function trainer(name, more)
  local model = st.SentenceTransformer("models/tiny")
  local args = { output_dir = "out-" .. name, optim = name, per_device_train_batch_size = 2,
    num_train_epochs = 2, save_steps = 2, learning_rate = 1e-3, weight_decay = 0.1 }
  for key, value in pairs(more) do args[key] = value end
  return st.SentenceTransformerTrainer{ model = model,
    args = st.SentenceTransformerTrainingArguments(args), train_dataset = train,
    loss = st.losses.MultipleNegativesRankingLoss(model) }, model
end

for name, options in pairs{ adamw_torch = "", adamw_torch_fused = "",
    sgd = "momentum=0.9, nesterov=True", adagrad = "lr_decay=0.1,eps=1e-8",
    rmsprop = "alpha=0.9,momentum=0.5,centered=True", adafactor = "" } do
  local first, model = trainer(name, { optim_args = options })
  local before = model:encode("a big cat")
  first:train()
  local after = model:encode("a big cat")
  assert(after[1] == after[1] and after[1] ~= before[1], name)
  -- The second half again, from the checkpoint in the middle.
  local second, resumed = trainer(name, { optim_args = options })
  second:train{ resume_from_checkpoint = "out-" .. name .. "/checkpoint-2" }
  for place, value in ipairs(resumed:encode("a big cat")) do assert(value == after[place], name) end
end
