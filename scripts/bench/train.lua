-- One training run, for run.py. Prints {"seconds": ..., "loss": ...}.
-- usage: train.lua MODEL DATA COLUMNS ROWS BATCH PRECISION MAX_SEQ_LENGTH LOSS
local datasets = require "datasets"
local st = require "sentence_transformers"

local path, data, columns, rows, batch, precision, length, loss = table.unpack(arg)
local names = {}
for name in columns:gmatch("[^,]+") do names[#names + 1] = name end
local train = datasets.load_dataset("json", {
  data_files = data, split = "train[:" .. rows .. "]" }):select_columns(names)
local model = st.SentenceTransformer(path, { max_seq_length = math.tointeger(length) })
local trainer = st.SentenceTransformerTrainer{
  model = model,
  args = st.SentenceTransformerTrainingArguments{
    output_dir = os.tmpname() .. ".run", num_train_epochs = 1, seed = 42,
    per_device_train_batch_size = math.tointeger(batch), learning_rate = 2e-5,
    batch_sampler = st.BatchSamplers.NO_DUPLICATES, bf16 = precision == "bf16",
    eval_strategy = "no", save_strategy = "no", logging_strategy = "no", disable_tqdm = true },
  train_dataset = train, loss = st.losses[loss](model) }
local output = trainer:train()
print(('{"seconds": %.4f, "loss": %.6f}'):format(
  output.metrics.train_runtime, output.training_loss))
