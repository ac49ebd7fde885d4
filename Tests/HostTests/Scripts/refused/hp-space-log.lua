-- Logarithms start above 0.
local st = require "sentence_transformers"
local datasets = require "datasets"
local train = datasets.load_dataset("json", { data_files = "data/pairs.jsonl", split = "train" })

local scored = datasets.load_dataset("json", { data_files = "data/scored.jsonl", split = "train" })
local trainer = st.SentenceTransformerTrainer{
  args = st.SentenceTransformerTrainingArguments{ output_dir = "out", save_strategy = "no" },
  train_dataset = train,
  evaluator = st.evaluation.EmbeddingSimilarityEvaluator{
    sentences1 = scored.sentence1, sentences2 = scored.sentence2, scores = scored.score, name = "dev" },
  model_init = function(trial) return st.SentenceTransformer("models/tiny") end,
  loss = function(model) return st.losses.MultipleNegativesRankingLoss(model) end,
}
trainer:hyperparameter_search{
  hp_space = function(trial) return { learning_rate = trial:suggest_float("learning_rate", 0, 1, { log = true }) } end,
  compute_objective = function(metrics) return metrics.eval_dev_spearman_cosine end,
  n_trials = 1, direction = "maximize",
}
