-- A loss written in Lua trains as the built-in one does, is evaluated, resumed, and searched over.
local st = require "sentence_transformers"
local datasets = require "datasets"
local optuna = require "optuna"

local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })
local scored = datasets.load_dataset("json", { data_files = "data/scored.jsonl", split = "train" })

-- MultipleNegativesRankingLoss in ten lines.
local function ranking(model)
  return st.losses.Custom(model, function(embeddings)
    local anchors = embeddings[1]
    local documents = st.Matrix.cat{ table.unpack(embeddings, 2) }
    local scores = st.util.cos_sim(anchors, documents) * 20
    return scores:cross_entropy()
  end, { name = "Ranking" })
end

local function run(loss, more)
  local all = { output_dir = "out", save_strategy = "no", num_train_epochs = 2, logging_steps = 1,
    per_device_train_batch_size = 2, learning_rate = 1e-3, eval_strategy = "epoch" }
  for name, value in pairs(more or {}) do all[name] = value end
  local trainer = st.SentenceTransformerTrainer{
    model = st.SentenceTransformer("models/tiny"), train_dataset = train, eval_dataset = train,
    args = st.SentenceTransformerTrainingArguments(all), loss = loss }
  return trainer, trainer:train()
end

local builtin = run(function(model) return st.losses.MultipleNegativesRankingLoss(model) end)
local custom, output = run(ranking)
assert(output.global_step > 2)
local compared = 0
for i, entry in ipairs(builtin.state.log_history) do
  for _, key in ipairs{ "loss", "eval_loss", "grad_norm" } do
    if entry[key] then
      compared = compared + 1
      local other = custom.state.log_history[i][key]
      assert(math.abs(entry[key] - other) <= 2e-4 * math.abs(entry[key]) + 1e-6,
        key .. " of entry " .. i .. ": " .. other .. " is not " .. entry[key])
    end
  end
end
assert(compared >= 6)
local loss = ranking(st.SentenceTransformer("models/tiny"))
assert(loss.name == "Ranking" and tostring(loss) == "Ranking()")

-- Labels are a matrix with one row for each row of the batch; the same numbers as Python's loss.
local function cosine(model)
  return st.losses.Custom(model, function(embeddings, labels)
    assert(labels.rows == embeddings[1].rows and labels.columns == 1)
    return ((st.util.pairwise_cos_sim(embeddings[1], embeddings[2]) - labels) ^ 2):mean()
  end)
end
train = scored
local ours = select(2, run(cosine)).training_loss
local theirs = select(2, run(function(m) return st.losses.CosineSimilarityLoss(m) end)).training_loss
assert(math.abs(ours - theirs) < 1e-6, ours .. " is not " .. theirs)

-- Distances of all rows, and the best numbers of a row, can be learnt through.
local function furthest(similarities)
  return function(model)
    return st.losses.Custom(model, function(embeddings) return -similarities(embeddings[1], embeddings[2]):sum() end)
  end
end
ours = select(2, run(furthest(function(a, b)
  local best, places = st.util.euclidean_sim(a, b):diagonal():t():topk(1, { largest = false })
  assert(#places == 1 and places[1][1] <= a.rows)
  return best
end))).training_loss
theirs = select(2, run(furthest(function(a, b) return st.util.pairwise_euclidean_sim(a, b):min(1) end))).training_loss
assert(math.abs(ours - theirs) < 1e-5, ours .. " is not " .. theirs)

-- A checkpoint goes on where it was.
local whole = select(2, run(cosine, { save_strategy = "epoch", output_dir = "kept" }))
local rest = st.SentenceTransformerTrainer{
  model = st.SentenceTransformer("models/tiny"), train_dataset = train, eval_dataset = train,
  args = st.SentenceTransformerTrainingArguments{ output_dir = "kept", save_strategy = "epoch",
    num_train_epochs = 2, logging_steps = 1, per_device_train_batch_size = 2, learning_rate = 1e-3,
    eval_strategy = "epoch" }, loss = cosine }
assert(rest:train{ resume_from_checkpoint = true }.global_step == whole.global_step)

-- A search makes the loss anew for each trial, also side by side.
for _, jobs in ipairs{ 1, 2 } do
  local made = 0
  local searcher = st.SentenceTransformerTrainer{
    args = st.SentenceTransformerTrainingArguments{ output_dir = "search", save_strategy = "no",
      num_train_epochs = 1, per_device_train_batch_size = 2 },
    train_dataset = train, eval_dataset = train,
    model_init = function() return st.SentenceTransformer("models/tiny") end,
    loss = function(model) made = made + 1; return cosine(model) end }
  local best = searcher:hyperparameter_search{
    hp_space = function(trial)
      return { learning_rate = trial:suggest_float("learning_rate", 1e-4, 1e-2, { log = true }) }
    end,
    compute_objective = function(metrics) return metrics.eval_loss end,
    n_trials = 3, direction = "minimize", n_jobs = jobs,
    sampler = optuna.samplers.RandomSampler{ seed = 1 } }
  assert(made == 4 and best.objective > 0)
end

-- A loss may ask the model that it trains, in the middle of a step: the gradients stay those of the step.
local function asking(model)
  return st.losses.Custom(model, function(embeddings)
    local before = embeddings[1]:detach():tolist()
    assert(#model:encode{ "a big cat", "the dog ran", "birds fly" } == 3)
    assert(embeddings[1]:detach():tolist()[1][1] == before[1][1])
    return (st.util.cos_sim(embeddings[1], embeddings[2]) * 20):cross_entropy()
  end)
end
local _, asked = run(asking)
local _, plain = run(ranking)
assert(math.abs(asked.training_loss - plain.training_loss) < 1e-6)

-- Matrices of a loss live for one step; detach() keeps the numbers.
local kept, message
local stray = st.losses.Custom(st.SentenceTransformer("models/tiny"), function(embeddings)
  if kept then
    local ok, problem = pcall(function() return embeddings[1] + kept end)
    assert(not ok)
    message = tostring(problem)
  end
  kept = embeddings[1]
  assert(#kept:detach():tolist() == #kept and kept[1].rows == 1)
  return embeddings[1]:mean()
end)
run(function() return stray end)
assert(message:find("custom%-loss.lua:%d+: add: a matrix of another step", 1), message)
