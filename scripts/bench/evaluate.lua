-- One EmbeddingSimilarityEvaluator over scored pairs, for run.py.
-- usage: evaluate.lua MODEL DATA ROWS PRECISION
local datasets = require "datasets"
local st = require "sentence_transformers"

local path, data, rows, precision = table.unpack(arg)
local pairs = datasets.load_dataset("json", {
  data_files = data, split = "train[:" .. rows .. "]" })
local trainer = st.SentenceTransformerTrainer{
  model = st.SentenceTransformer(path),
  args = st.SentenceTransformerTrainingArguments{
    output_dir = os.tmpname() .. ".run", save_strategy = "no", disable_tqdm = true,
    bf16 = precision == "bf16" },
  loss = st.losses.CoSENTLoss(st.SentenceTransformer(path)),
  evaluator = st.evaluation.EmbeddingSimilarityEvaluator{
    sentences1 = pairs.sentence1, sentences2 = pairs.sentence2, scores = pairs.score,
    main_similarity = "cosine", name = "dev", write_csv = false } }
local metrics = trainer:evaluate()
print(('{"seconds": %.4f, "spearman": %.10f}'):format(
  metrics.eval_runtime, metrics.eval_dev_spearman_cosine))
