---@meta sentence_transformers
-- Written by `st-host generate stubs`.

--- A sentence-embedding model.
---@class sentence_transformers.SentenceTransformer
---@field default_prompt_name string The prompt used when none is asked for.
---@field device string 
---@field max_seq_length integer Longest sentence in tokens.
---@field prompts table<string, string> Texts that go before sentences, by name.
---@field similarity_fn_name "cosine"|"dot"|"euclidean"|"manhattan" How embeddings are compared.
---@field truncate_dim integer Dimensions that encode keeps; nil for all.
local SentenceTransformer = {}

--- Writes a folder that Python's SentenceTransformer loads.
---@param path string string, required. The folder to write.
---@param options? { path?: string }
function SentenceTransformer:save_pretrained(path, options) end

--- As save_pretrained.
---@param path string string, required
---@param options? { path?: string }
function SentenceTransformer:save(path, options) end

--- Length of an embedding.
---@return integer
function SentenceTransformer:get_embedding_dimension() end

--- Length of an embedding.
---@return integer
function SentenceTransformer:get_sentence_embedding_dimension() end

--- Longest sentence in tokens.
---@return integer
function SentenceTransformer:get_max_seq_length() end

--- Embeddings: a matrix, or for one text a sequence of numbers.
---@param sentences string|(string)[]|datasets.Column string or sequence of string or Column, required. One text, or a sequence of them.
---@param options? { sentences?: string|(string)[]|datasets.Column, prompt_name?: string, prompt?: string, batch_size?: integer, show_progress_bar?: boolean, normalize_embeddings?: boolean, truncate_dim?: integer }
---@return any
function SentenceTransformer:encode(sentences, options) end

--- encode with the prompt "query".
---@param sentences string|(string)[]|datasets.Column string or sequence of string or Column, required. One text, or a sequence of them.
---@param options? { sentences?: string|(string)[]|datasets.Column, prompt_name?: string, prompt?: string, batch_size?: integer, show_progress_bar?: boolean, normalize_embeddings?: boolean, truncate_dim?: integer }
---@return any
function SentenceTransformer:encode_query(sentences, options) end

--- encode with the prompt for documents.
---@param sentences string|(string)[]|datasets.Column string or sequence of string or Column, required. One text, or a sequence of them.
---@param options? { sentences?: string|(string)[]|datasets.Column, prompt_name?: string, prompt?: string, batch_size?: integer, show_progress_bar?: boolean, normalize_embeddings?: boolean, truncate_dim?: integer }
---@return any
function SentenceTransformer:encode_document(sentences, options) end

--- Tokens as the model gets them: input_ids, attention_mask and, for BERT, token_type_ids, each with a row for every text, as long as the longest.
---@param inputs (string)[]|datasets.Column sequence of string or Column, required
---@param prompt? string string = nil. A text that goes before every one.
---@param options? { inputs?: (string)[]|datasets.Column, prompt?: string }
---@return any
function SentenceTransformer:preprocess(inputs, prompt, options) end

--- Tokens as the model gets them: input_ids, attention_mask and, for BERT, token_type_ids, each with a row for every text, as long as the longest.
---@param inputs (string)[]|datasets.Column sequence of string or Column, required
---@param prompt? string string = nil. A text that goes before every one.
---@param options? { inputs?: (string)[]|datasets.Column, prompt?: string }
---@return any
function SentenceTransformer:tokenize(inputs, prompt, options) end

--- All rows of one with all rows of the other: a matrix.
---@param embeddings1 sentence_transformers.Matrix|(any)[] Matrix or sequence, required. A matrix or one embedding.
---@param embeddings2 sentence_transformers.Matrix|(any)[] Matrix or sequence, required. A matrix or one embedding.
---@param options? { embeddings1?: sentence_transformers.Matrix|(any)[], embeddings2?: sentence_transformers.Matrix|(any)[] }
---@return sentence_transformers.Matrix
function SentenceTransformer:similarity(embeddings1, embeddings2, options) end

--- Row by row: a sequence of numbers.
---@param embeddings1 sentence_transformers.Matrix|(any)[] Matrix or sequence, required. A matrix or one embedding.
---@param embeddings2 sentence_transformers.Matrix|(any)[] Matrix or sequence, required. A matrix or one embedding.
---@param options? { embeddings1?: sentence_transformers.Matrix|(any)[], embeddings2?: sentence_transformers.Matrix|(any)[] }
---@return (number)[]
function SentenceTransformer:similarity_pairwise(embeddings1, embeddings2, options) end

--- Metrics of the model, by name.
---@param evaluator any any, required. An evaluator, a function, or a sequence of either.
---@param output_path? string string = nil. Folder for CSV files.
---@param options? { evaluator?: any, output_path?: string }
---@return any
function SentenceTransformer:evaluate(evaluator, output_path, options) end

--- Fine-tunes a model, or searches for the best one.
---@class sentence_transformers.SentenceTransformerTrainer
---@field args sentence_transformers.SentenceTransformerTrainingArguments 
---@field eval_dataset any|nil What it evaluates.
---@field evaluator sentence_transformers.Evaluator 
---@field model sentence_transformers.SentenceTransformer The model that is trained; after a search the best one.
---@field state table What training says about itself: log_history, global_step ...
---@field train_dataset any|nil What it trains on.
local SentenceTransformerTrainer = {}

--- Trains the model: { global_step, training_loss, metrics }.
---@param resume_from_checkpoint? string|boolean string or boolean = nil. A checkpoint's folder, or true for the last one in output_dir.
---@param options? { resume_from_checkpoint?: string|boolean }
---@return any
function SentenceTransformerTrainer:train(resume_from_checkpoint, options) end

--- Metrics of the model, keys with eval_ before them.
---@param eval_dataset? any any = the trainer's. A Dataset, or by name a table of them.
---@param options? { eval_dataset?: any, metric_key_prefix?: string }
---@return any
function SentenceTransformerTrainer:evaluate(eval_dataset, options) end

--- Writes the model's folder.
---@param output_dir? string string = the arguments' output_dir
---@param options? { output_dir?: string }
function SentenceTransformerTrainer:save_model(output_dir, options) end

--- One more callback.
---@param callback any any, required
---@param options? { callback?: any }
function SentenceTransformerTrainer:add_callback(callback, options) end

--- Puts the parameters of a search into args.
---@param hyperparameters table table, required. Argument names and values.
---@param options? { hyperparameters?: table, final_model?: boolean }
function SentenceTransformerTrainer:apply_hyperparameters(hyperparameters, options) end

--- Trains with different hyperparameters and returns the best run, or with several directions the sequence of runs that no other one beats.
---@param hp_space? function function = transformers' default space. Gets the trial, returns a table of argument names and values.
---@param compute_objective? function function = transformers' default objective. Gets the metrics, returns the number to optimise.
---@param n_trials? integer integer = 20, at least 1
---@param direction? string|(string)[] string or sequence of string = "minimize". "minimize" or "maximize"; a sequence for several objectives.
---@param backend? string string = "optuna"
---@param hp_name? function function = nil. Gets the trial, returns the name of its run and folder.
---@param options? { hp_space?: function, compute_objective?: function, n_trials?: integer, direction?: string|(string)[], backend?: string, hp_name?: function, study_name?: string, storage?: any, load_if_exists?: boolean, sampler?: any, pruner?: any, timeout?: number, n_jobs?: integer, gc_after_trial?: boolean, catch?: boolean, keep_best_model?: boolean, objective_from?: "last"|"best" }
---@return any
function SentenceTransformerTrainer:hyperparameter_search(hp_space, compute_objective, n_trials, direction, backend, hp_name, options) end

--- Every knob of a training run.
---@class sentence_transformers.SentenceTransformerTrainingArguments
---@field [string|integer] any
local SentenceTransformerTrainingArguments = {}

--- Stops when metric_for_best_model no longer improves.
---@class sentence_transformers.EarlyStoppingCallback
local EarlyStoppingCallback = {}

--- Rows of numbers, such as embeddings.
---@class sentence_transformers.Matrix
---@field columns integer Length of a row.
---@field dim integer Length of a row.
---@field rows integer Number of rows.
---@field shape (integer)[] {rows, columns}
---@field [string|integer] any
---@operator len: integer
---@operator add(any): sentence_transformers.Matrix
---@operator sub(any): sentence_transformers.Matrix
---@operator mul(any): sentence_transformers.Matrix
---@operator div(any): sentence_transformers.Matrix
---@operator unm: sentence_transformers.Matrix
local Matrix = {}

--- x + y
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:add(other, options) end

--- x - y
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:sub(other, options) end

--- x * y, number by number
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:mul(other, options) end

--- x / y, number by number
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:div(other, options) end

--- The larger of two numbers.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:maximum(other, options) end

--- The smaller of two numbers.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:minimum(other, options) end

--- 1 where the comparison holds, else 0.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:eq(other, options) end

--- 1 where the comparison holds, else 0.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:ne(other, options) end

--- 1 where the comparison holds, else 0.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:lt(other, options) end

--- 1 where the comparison holds, else 0.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:le(other, options) end

--- 1 where the comparison holds, else 0.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:gt(other, options) end

--- 1 where the comparison holds, else 0.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:ge(other, options) end

--- x ^ exponent
---@param exponent number number, required
---@param options? { exponent?: number }
---@return any
function Matrix:pow(exponent, options) end

--- Numbers below min become min, above max max.
---@param min? number number = nil
---@param max? number number = nil
---@param options? { min?: number, max?: number }
---@return any
function Matrix:clamp(min, max, options) end

--- x where this matrix is not 0, y elsewhere.
---@param x number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param y number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { x?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[], y?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:where(x, y, options) end

--- value where mask is not 0.
---@param mask number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param value number number, required
---@param options? { mask?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[], value?: number }
---@return any
function Matrix:masked_fill(mask, value, options) end

--- e to the power of each number.
---@return any
function Matrix:exp() end

--- Natural logarithms.
---@return any
function Matrix:log() end

--- Square roots.
---@return any
function Matrix:sqrt() end

--- Without signs.
---@return any
function Matrix:abs() end

--- With the other sign.
---@return any
function Matrix:neg() end

--- 0 for negative numbers.
---@return any
function Matrix:relu() end

--- Hyperbolic tangents.
---@return any
function Matrix:tanh() end

--- 1 / (1 + exp(-x))
---@return any
function Matrix:sigmoid() end

--- log(1 + exp(x))
---@return any
function Matrix:softplus() end

--- Rows become columns.
---@return any
function Matrix:t() end

--- Rows become columns.
---@return any
function Matrix:transpose() end

--- Rows of length 1.
---@return any
function Matrix:normalize() end

--- The numbers on the diagonal: one column.
---@return any
function Matrix:diagonal() end

--- The same numbers as a constant.
---@return any
function Matrix:detach() end

--- The matrix product.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:matmul(other, options) end

--- Cosines of all rows with all rows.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:cos_sim(other, options) end

--- Dot products of all rows with all rows.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:dot_score(other, options) end

--- Cosines row by row: one column.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:pairwise_cos_sim(other, options) end

--- Dot products row by row: one column.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function Matrix:pairwise_dot_score(other, options) end

--- Sums.
---@param dim? integer integer = all numbers. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function Matrix:sum(dim, options) end

--- Means.
---@param dim? integer integer = all numbers. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function Matrix:mean(dim, options) end

--- The largest numbers.
---@param dim? integer integer = all numbers. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function Matrix:max(dim, options) end

--- The smallest numbers.
---@param dim? integer integer = all numbers. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function Matrix:min(dim, options) end

--- Euclidean lengths.
---@param dim? integer integer = all numbers. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function Matrix:norm(dim, options) end

--- Logarithms of sums of exponentials.
---@param dim? integer integer = all numbers. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function Matrix:logsumexp(dim, options) end

--- exp(x) over their sum.
---@param dim? integer integer = 2. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function Matrix:softmax(dim, options) end

--- Logarithms of softmax.
---@param dim? integer integer = 2. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function Matrix:log_softmax(dim, options) end

--- Places of the largest numbers: a sequence.
---@param dim? integer integer = 2. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return (integer)[]
function Matrix:argmax(dim, options) end

--- -log softmax at each row's target.
---@param targets? (integer)[]|sentence_transformers.Matrix sequence of integer or Matrix = row i has target i. The right column of every row.
---@param options? { targets?: (integer)[]|sentence_transformers.Matrix, label_smoothing?: number, reduction?: "mean"|"sum"|"none" }
---@return any
function Matrix:cross_entropy(targets, options) end

--- Rows first to last, and of them the columns: a matrix.
---@param first? integer integer = 1. First row; negative from the end.
---@param last? integer integer = -1. Last row, part of the slice.
---@param first_column? integer integer = 1
---@param last_column? integer integer = -1
---@param options? { first?: integer, last?: integer, first_column?: integer, last_column?: integer }
---@return any
function Matrix:slice(first, last, first_column, last_column, options) end

--- The rows or columns at these places, in that order.
---@param dim integer integer, required. 1: choose rows; 2: columns.
---@param indices (integer)[]|sentence_transformers.Matrix sequence of integer or Matrix, required
---@param options? { dim?: integer, indices?: (integer)[]|sentence_transformers.Matrix }
---@return any
function Matrix:index_select(dim, indices, options) end

--- From each row the numbers at its places.
---@param indices (any)[] sequence, required. A column for each row, or a sequence of them.
---@param options? { indices?: (any)[] }
---@return any
function Matrix:gather(indices, options) end

--- The same numbers, row after row, in another shape.
---@param rows integer integer, required, at least 0
---@param columns integer integer, required, at least 0
---@param options? { rows?: integer, columns?: integer }
---@return any
function Matrix:reshape(rows, columns, options) end

--- The only number of a 1x1 matrix.
---@return number
function Matrix:item() end

--- All rows as a sequence of sequences.
---@return ((number)[])[]
function Matrix:tolist() end

--- The k largest numbers of every row in order: their matrix, and their places as a sequence for each row.
---@param k integer integer, required, at least 0
---@param options? { k?: integer, largest?: boolean }
---@return any
function Matrix:topk(k, options) end

--- Row i as a sequence.
---@param i integer integer, required
---@param options? { i?: integer }
---@return (number)[]
function Matrix:row(i, options) end

--- Writes a file that numpy or safetensors reads.
---@param path string string, required. Ends in .npy or .safetensors.
---@param options? { path?: string, name?: string }
function Matrix:save(path, options) end

--- The best trial of a search.
---@class sentence_transformers.BestRun
---@field hyperparameters table What the trial suggested, by name.
---@field model sentence_transformers.SentenceTransformer The trained model; loaded from disk at the first use.
---@field model_path string Folder of the model, nil when it was not kept.
---@field objective any The trial's value, or a sequence of several.
---@field run_id string The trial's number, as text.
---@field run_summary any nil, as with Python's Optuna backend.
local BestRun = {}

--- A matrix of a loss: what is computed from it can be learnt from.
---@class sentence_transformers.DifferentiableMatrix
---@field columns integer Length of a row.
---@field dim integer Length of a row.
---@field rows integer Number of rows.
---@field shape (integer)[] {rows, columns}
---@field [string|integer] any
---@operator len: integer
---@operator add(any): sentence_transformers.DifferentiableMatrix
---@operator sub(any): sentence_transformers.DifferentiableMatrix
---@operator mul(any): sentence_transformers.DifferentiableMatrix
---@operator div(any): sentence_transformers.DifferentiableMatrix
---@operator unm: sentence_transformers.DifferentiableMatrix
local DifferentiableMatrix = {}

--- x + y
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:add(other, options) end

--- x - y
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:sub(other, options) end

--- x * y, number by number
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:mul(other, options) end

--- x / y, number by number
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:div(other, options) end

--- The larger of two numbers.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:maximum(other, options) end

--- The smaller of two numbers.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:minimum(other, options) end

--- 1 where the comparison holds, else 0.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:eq(other, options) end

--- 1 where the comparison holds, else 0.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:ne(other, options) end

--- 1 where the comparison holds, else 0.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:lt(other, options) end

--- 1 where the comparison holds, else 0.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:le(other, options) end

--- 1 where the comparison holds, else 0.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:gt(other, options) end

--- 1 where the comparison holds, else 0.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:ge(other, options) end

--- x ^ exponent
---@param exponent number number, required
---@param options? { exponent?: number }
---@return any
function DifferentiableMatrix:pow(exponent, options) end

--- Numbers below min become min, above max max.
---@param min? number number = nil
---@param max? number number = nil
---@param options? { min?: number, max?: number }
---@return any
function DifferentiableMatrix:clamp(min, max, options) end

--- x where this matrix is not 0, y elsewhere.
---@param x number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param y number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { x?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[], y?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:where(x, y, options) end

--- value where mask is not 0.
---@param mask number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param value number number, required
---@param options? { mask?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[], value?: number }
---@return any
function DifferentiableMatrix:masked_fill(mask, value, options) end

--- e to the power of each number.
---@return any
function DifferentiableMatrix:exp() end

--- Natural logarithms.
---@return any
function DifferentiableMatrix:log() end

--- Square roots.
---@return any
function DifferentiableMatrix:sqrt() end

--- Without signs.
---@return any
function DifferentiableMatrix:abs() end

--- With the other sign.
---@return any
function DifferentiableMatrix:neg() end

--- 0 for negative numbers.
---@return any
function DifferentiableMatrix:relu() end

--- Hyperbolic tangents.
---@return any
function DifferentiableMatrix:tanh() end

--- 1 / (1 + exp(-x))
---@return any
function DifferentiableMatrix:sigmoid() end

--- log(1 + exp(x))
---@return any
function DifferentiableMatrix:softplus() end

--- Rows become columns.
---@return any
function DifferentiableMatrix:t() end

--- Rows become columns.
---@return any
function DifferentiableMatrix:transpose() end

--- Rows of length 1.
---@return any
function DifferentiableMatrix:normalize() end

--- The numbers on the diagonal: one column.
---@return any
function DifferentiableMatrix:diagonal() end

--- The same numbers as a constant.
---@return any
function DifferentiableMatrix:detach() end

--- The matrix product.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:matmul(other, options) end

--- Cosines of all rows with all rows.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:cos_sim(other, options) end

--- Dot products of all rows with all rows.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:dot_score(other, options) end

--- Cosines row by row: one column.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:pairwise_cos_sim(other, options) end

--- Dot products row by row: one column.
---@param other number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { other?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function DifferentiableMatrix:pairwise_dot_score(other, options) end

--- Sums.
---@param dim? integer integer = all numbers. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function DifferentiableMatrix:sum(dim, options) end

--- Means.
---@param dim? integer integer = all numbers. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function DifferentiableMatrix:mean(dim, options) end

--- The largest numbers.
---@param dim? integer integer = all numbers. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function DifferentiableMatrix:max(dim, options) end

--- The smallest numbers.
---@param dim? integer integer = all numbers. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function DifferentiableMatrix:min(dim, options) end

--- Euclidean lengths.
---@param dim? integer integer = all numbers. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function DifferentiableMatrix:norm(dim, options) end

--- Logarithms of sums of exponentials.
---@param dim? integer integer = all numbers. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function DifferentiableMatrix:logsumexp(dim, options) end

--- exp(x) over their sum.
---@param dim? integer integer = 2. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function DifferentiableMatrix:softmax(dim, options) end

--- Logarithms of softmax.
---@param dim? integer integer = 2. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return any
function DifferentiableMatrix:log_softmax(dim, options) end

--- Places of the largest numbers: a sequence.
---@param dim? integer integer = 2. 1: over the rows; 2: over the columns.
---@param options? { dim?: integer }
---@return (integer)[]
function DifferentiableMatrix:argmax(dim, options) end

--- -log softmax at each row's target.
---@param targets? (integer)[]|sentence_transformers.Matrix sequence of integer or Matrix = row i has target i. The right column of every row.
---@param options? { targets?: (integer)[]|sentence_transformers.Matrix, label_smoothing?: number, reduction?: "mean"|"sum"|"none" }
---@return any
function DifferentiableMatrix:cross_entropy(targets, options) end

--- Rows first to last, and of them the columns: a matrix.
---@param first? integer integer = 1. First row; negative from the end.
---@param last? integer integer = -1. Last row, part of the slice.
---@param first_column? integer integer = 1
---@param last_column? integer integer = -1
---@param options? { first?: integer, last?: integer, first_column?: integer, last_column?: integer }
---@return any
function DifferentiableMatrix:slice(first, last, first_column, last_column, options) end

--- The rows or columns at these places, in that order.
---@param dim integer integer, required. 1: choose rows; 2: columns.
---@param indices (integer)[]|sentence_transformers.Matrix sequence of integer or Matrix, required
---@param options? { dim?: integer, indices?: (integer)[]|sentence_transformers.Matrix }
---@return any
function DifferentiableMatrix:index_select(dim, indices, options) end

--- From each row the numbers at its places.
---@param indices (any)[] sequence, required. A column for each row, or a sequence of them.
---@param options? { indices?: (any)[] }
---@return any
function DifferentiableMatrix:gather(indices, options) end

--- The same numbers, row after row, in another shape.
---@param rows integer integer, required, at least 0
---@param columns integer integer, required, at least 0
---@param options? { rows?: integer, columns?: integer }
---@return any
function DifferentiableMatrix:reshape(rows, columns, options) end

--- The only number of a 1x1 matrix.
---@return number
function DifferentiableMatrix:item() end

--- All rows as a sequence of sequences.
---@return ((number)[])[]
function DifferentiableMatrix:tolist() end

--- The k largest numbers of every row in order: their matrix, and their places as a sequence for each row.
---@param k integer integer, required, at least 0
---@param options? { k?: integer, largest?: boolean }
---@return any
function DifferentiableMatrix:topk(k, options) end

--- Row i as a matrix.
---@param i integer integer, required
---@param options? { i?: integer }
---@return any
function DifferentiableMatrix:row(i, options) end

--- Scores a model; made by the functions of st.evaluation.
---@class sentence_transformers.Evaluator
---@field primary_metric string The metric that stands for all.
---@overload fun(model: sentence_transformers.SentenceTransformer, output_path?: string, epoch?: number, steps?: integer, options?: { model?: sentence_transformers.SentenceTransformer, output_path?: string, epoch?: number, steps?: integer }): any
local Evaluator = {}

--- What a trainer minimises; made by the functions of st.losses.
---@class sentence_transformers.Loss
---@field model sentence_transformers.SentenceTransformer 
---@field name string The Python class name.
local Loss = {}

--- Fine-tuning of sentence-embedding models.
---@class sentence_transformers
local M_sentence_transformers = {}

--- A sentence-embedding model.
---@class sentence_transformers.SentenceTransformer_class
---@overload fun(model_name_or_path: string, options?: { model_name_or_path?: string, prompts?: table<string, string>, default_prompt_name?: string, similarity_fn_name?: "cosine"|"dot"|"euclidean"|"manhattan", truncate_dim?: integer, max_seq_length?: integer, device?: string, cache_folder?: string, revision?: string, token?: string|boolean, local_files_only?: boolean }): sentence_transformers.SentenceTransformer
local M_sentence_transformers_SentenceTransformer = {}
M_sentence_transformers.SentenceTransformer = M_sentence_transformers_SentenceTransformer

--- A new model with the weights that transformers draws for this seed, in memory.
---@param options? { architecture?: "bert"|"distilbert", vocab?: (string)[], corpus?: (string)[]|datasets.Column, vocab_size?: integer, do_lower_case?: boolean, hidden_size?: integer, num_hidden_layers?: integer, num_attention_heads?: integer, intermediate_size?: integer, max_position_embeddings?: integer, hidden_act?: string, hidden_dropout_prob?: number, attention_probs_dropout_prob?: number, initializer_range?: number, pooling_mode?: "cls"|"max"|"mean"|"mean_sqrt_len_tokens"|"weightedmean"|"lasttoken", normalize?: boolean, seed?: integer }
---@return sentence_transformers.SentenceTransformer
function M_sentence_transformers_SentenceTransformer.from_config(options) end

--- Fine-tunes a model, or searches for the best one.
---@class sentence_transformers.SentenceTransformerTrainer_class
---@overload fun(model?: sentence_transformers.SentenceTransformer, args?: sentence_transformers.SentenceTransformerTrainingArguments, options?: { model?: sentence_transformers.SentenceTransformer, args?: sentence_transformers.SentenceTransformerTrainingArguments, train_dataset?: any, eval_dataset?: any, loss?: any, evaluator?: any, callbacks?: (any)[], model_init?: function }): sentence_transformers.SentenceTransformerTrainer
local M_sentence_transformers_SentenceTransformerTrainer = {}
M_sentence_transformers.SentenceTransformerTrainer = M_sentence_transformers_SentenceTransformerTrainer

--- Every knob of a training run.
---@class sentence_transformers.SentenceTransformerTrainingArguments_class
---@overload fun(output_dir?: string, options?: { output_dir?: string, per_device_train_batch_size?: integer, num_train_epochs?: number, max_steps?: integer, gradient_accumulation_steps?: integer, seed?: integer, data_seed?: integer, full_determinism?: boolean, dropout_rng?: "counter"|"torch", learning_rate?: number, lr_scheduler_type?: "linear"|"cosine"|"cosine_with_restarts"|"polynomial"|"constant"|"constant_with_warmup"|"inverse_sqrt"|"reduce_lr_on_plateau"|"cosine_with_min_lr"|"cosine_warmup_with_min_lr"|"warmup_stable_decay"|"greedy", lr_scheduler_kwargs?: string|table, warmup_steps?: number, warmup_ratio?: number, optim?: "adamw_torch"|"adamw_torch_fused"|"sgd"|"adagrad"|"rmsprop"|"adafactor", optim_args?: string, weight_decay?: number, adam_beta1?: number, adam_beta2?: number, adam_epsilon?: number, max_grad_norm?: number, learning_rate_mapping?: string|table, optim_target_modules?: any, label_smoothing_factor?: number, fp16?: any, bf16?: boolean, fp16_full_eval?: any, bf16_full_eval?: boolean, tf32?: any, activation_checkpointing?: boolean, activation_checkpointing_kwargs?: any, gradient_checkpointing?: boolean, gradient_checkpointing_kwargs?: any, neftune_noise_alpha?: any, auto_find_batch_size?: any, logging_strategy?: "no"|"steps"|"epoch", logging_steps?: number, logging_first_step?: boolean, logging_nan_inf_filter?: boolean, eval_strategy?: "no"|"steps"|"epoch", eval_steps?: number, eval_delay?: number, eval_on_start?: boolean, per_device_eval_batch_size?: integer, save_strategy?: "no"|"steps"|"epoch"|"best", save_steps?: number, save_total_limit?: integer, save_only_model?: boolean, load_best_model_at_end?: boolean, metric_for_best_model?: string, greater_is_better?: boolean, disable_tqdm?: boolean, run_name?: string, report_to?: any, log_level?: any, include_num_input_tokens_seen?: any, skip_memory_metrics?: any, debug?: any, push_to_hub?: any, dataloader_drop_last?: boolean, batch_sampler?: "batch_sampler"|"no_duplicates"|"no_duplicates_hashed"|"group_by_label", multi_dataset_batch_sampler?: "round_robin"|"proportional", prompts?: string|table, router_mapping?: any, dataloader_num_workers?: integer, dataloader_prefetch_factor?: integer, dataloader_persistent_workers?: boolean, eval_accumulation_steps?: integer, dataloader_pin_memory?: boolean, dataloader_multiprocessing_context?: any, dataloader_in_order?: boolean, remove_unused_columns?: boolean, train_sampling_strategy?: string, length_column_name?: string, label_names?: any, ignore_data_skip?: boolean, average_tokens_across_devices?: boolean, log_on_each_node?: boolean, log_level_replica?: string, save_on_each_node?: boolean, accelerator_config?: any, ddp_find_unused_parameters?: any, ddp_bucket_cap_mb?: any, ddp_broadcast_buffers?: any, ddp_static_graph?: any, ddp_backend?: any, ddp_timeout?: integer, local_rank?: integer, fsdp_config?: any, project?: string, trackio_space_id?: any, trackio_bucket_id?: any, trackio_static_space_id?: any, hub_token?: any, hub_private_repo?: any, hub_model_id?: any, hub_strategy?: string, hub_always_push?: boolean, hub_revision?: any, eval_do_concat_batches?: boolean, eval_use_gather_object?: boolean, include_for_metrics?: any, batch_eval_metrics?: boolean, use_cache?: boolean, torch_empty_cache_steps?: any, liger_kernel_config?: any, prediction_loss_only?: boolean, use_cpu?: boolean, do_train?: boolean, do_eval?: boolean, do_predict?: boolean, resume_from_checkpoint?: any, torch_compile?: any, torch_compile_backend?: any, torch_compile_mode?: any, use_liger_kernel?: any, enable_jit_checkpoint?: any, restore_callback_states_from_checkpoint?: any, parallelism_config?: any, fsdp?: any, deepspeed?: any }): sentence_transformers.SentenceTransformerTrainingArguments
local M_sentence_transformers_SentenceTransformerTrainingArguments = {}
M_sentence_transformers.SentenceTransformerTrainingArguments = M_sentence_transformers_SentenceTransformerTrainingArguments

--- Stops when metric_for_best_model no longer improves.
---@class sentence_transformers.EarlyStoppingCallback_class
---@overload fun(early_stopping_patience?: integer, early_stopping_threshold?: number, options?: { early_stopping_patience?: integer, early_stopping_threshold?: number }): sentence_transformers.EarlyStoppingCallback
local M_sentence_transformers_EarlyStoppingCallback = {}
M_sentence_transformers.EarlyStoppingCallback = M_sentence_transformers_EarlyStoppingCallback

--- Rows of numbers, such as embeddings.
---@class sentence_transformers.Matrix_class
---@overload fun(rows: sentence_transformers.Matrix|(any)[]): sentence_transformers.Matrix
local M_sentence_transformers_Matrix = {}
M_sentence_transformers.Matrix = M_sentence_transformers_Matrix

--- A matrix of zeros.
---@param rows integer integer, required, at least 0
---@param columns integer integer, required, at least 0
---@param options? { rows?: integer, columns?: integer }
---@return sentence_transformers.Matrix
function M_sentence_transformers_Matrix.zeros(rows, columns, options) end

--- A matrix of ones.
---@param rows integer integer, required, at least 0
---@param columns integer integer, required, at least 0
---@param options? { rows?: integer, columns?: integer }
---@return sentence_transformers.Matrix
function M_sentence_transformers_Matrix.ones(rows, columns, options) end

--- The same number everywhere.
---@param rows integer integer, required, at least 0
---@param columns integer integer, required, at least 0
---@param value number number, required
---@param options? { rows?: integer, columns?: integer, value?: number }
---@return sentence_transformers.Matrix
function M_sentence_transformers_Matrix.full(rows, columns, value, options) end

--- Ones on the diagonal, zeros elsewhere.
---@param n integer integer, required, at least 0
---@param options? { n?: integer }
---@return sentence_transformers.Matrix
function M_sentence_transformers_Matrix.eye(n, options) end

--- Several matrices as one.
---@param matrices (any)[] sequence, required
---@param dim? integer integer = 1. 1: one below the other; 2: side by side.
---@param options? { matrices?: (any)[], dim?: integer }
---@return any
function M_sentence_transformers_Matrix.cat(matrices, dim, options) end

--- Reads a file of numpy or safetensors.
---@param path string string, required. Ends in .npy or .safetensors.
---@param options? { path?: string, name?: string }
---@return sentence_transformers.Matrix
function M_sentence_transformers_Matrix.load(path, options) end

---@type sentence_transformers.losses
M_sentence_transformers.losses = nil

---@type sentence_transformers.util
M_sentence_transformers.util = nil

---@type sentence_transformers.evaluation
M_sentence_transformers.evaluation = nil

---@type sentence_transformers.SimilarityFunction
M_sentence_transformers.SimilarityFunction = nil

---@type sentence_transformers.BatchSamplers
M_sentence_transformers.BatchSamplers = nil

---@type sentence_transformers.MultiDatasetBatchSamplers
M_sentence_transformers.MultiDatasetBatchSamplers = nil

---@class sentence_transformers.losses
local M_sentence_transformers_losses = {}

--- InfoNCE with the other rows of the batch as negatives: (anchor, positive, negatives...).
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param scale? number number = 20.0, above 0. Factor on similarities; the inverse temperature.
---@param similarity_fct? "cos_sim"|"dot_score" "cos_sim" | "dot_score" = "cos_sim". Similarity of all pairs.
---@param gather_across_devices? boolean boolean = false. Only false: there is one device.
---@param directions? ("query_to_doc"|"query_to_query"|"doc_to_query"|"doc_to_doc")[] sequence of "query_to_doc" | "query_to_query" | "doc_to_query" | "doc_to_doc" = {"query_to_doc"}. Which similarities compete.
---@param partition_mode? "joint"|"per_direction" "joint" | "per_direction" = "joint". Whether directions share one softmax.
---@param hardness_mode? "in_batch_negatives"|"hard_negatives"|"all_negatives" "in_batch_negatives" | "hard_negatives" | "all_negatives" = nil. Which negatives weigh more the closer they are.
---@param hardness_strength? number number = 0.0, at least 0. How much more.
---@param options? { model?: sentence_transformers.SentenceTransformer, scale?: number, similarity_fct?: "cos_sim"|"dot_score", gather_across_devices?: boolean, directions?: ("query_to_doc"|"query_to_query"|"doc_to_query"|"doc_to_doc")[], partition_mode?: "joint"|"per_direction", hardness_mode?: "in_batch_negatives"|"hard_negatives"|"all_negatives", hardness_strength?: number }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.MultipleNegativesRankingLoss(model, scale, similarity_fct, gather_across_devices, directions, partition_mode, hardness_mode, hardness_strength, options) end

--- MultipleNegativesRankingLoss for batches of thousands of rows: activations are computed again instead of kept.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param scale? number number = 20.0, above 0. Factor on similarities; the inverse temperature.
---@param similarity_fct? "cos_sim"|"dot_score" "cos_sim" | "dot_score" = "cos_sim". Similarity of all pairs.
---@param mini_batch_size? integer integer = 32, at least 1. Texts whose activations are in memory together.
---@param mini_batch_num_tokens? integer integer = nil, at least 1. Tokens of them, instead of mini_batch_size.
---@param gather_across_devices? boolean boolean = false. Only false: there is one device.
---@param directions? ("query_to_doc"|"query_to_query"|"doc_to_query"|"doc_to_doc")[] sequence of "query_to_doc" | "query_to_query" | "doc_to_query" | "doc_to_doc" = {"query_to_doc"}. Which similarities compete.
---@param partition_mode? "joint"|"per_direction" "joint" | "per_direction" = "joint". Whether directions share one softmax.
---@param show_progress_bar? boolean boolean = false. No effect: mini-batches take no time to speak of.
---@param hardness_mode? "in_batch_negatives"|"hard_negatives"|"all_negatives" "in_batch_negatives" | "hard_negatives" | "all_negatives" = nil. Which negatives weigh more the closer they are.
---@param hardness_strength? number number = 0.0, at least 0. How much more.
---@param options? { model?: sentence_transformers.SentenceTransformer, scale?: number, similarity_fct?: "cos_sim"|"dot_score", mini_batch_size?: integer, mini_batch_num_tokens?: integer, gather_across_devices?: boolean, directions?: ("query_to_doc"|"query_to_query"|"doc_to_query"|"doc_to_doc")[], partition_mode?: "joint"|"per_direction", show_progress_bar?: boolean, hardness_mode?: "in_batch_negatives"|"hard_negatives"|"all_negatives", hardness_strength?: number }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.CachedMultipleNegativesRankingLoss(model, scale, similarity_fct, mini_batch_size, mini_batch_num_tokens, gather_across_devices, directions, partition_mode, show_progress_bar, hardness_mode, hardness_strength, options) end

--- Ranking in both directions; deprecated in Python in favour of MultipleNegativesRankingLoss{directions, partition_mode}.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param scale? number number = 20.0, above 0. Factor on similarities; the inverse temperature.
---@param similarity_fct? "cos_sim"|"dot_score" "cos_sim" | "dot_score" = "cos_sim". Similarity of all pairs.
---@param options? { model?: sentence_transformers.SentenceTransformer, scale?: number, similarity_fct?: "cos_sim"|"dot_score" }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.MultipleNegativesSymmetricRankingLoss(model, scale, similarity_fct, options) end

--- MultipleNegativesSymmetricRankingLoss for batches of thousands of rows.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param scale? number number = 20.0, above 0. Factor on similarities; the inverse temperature.
---@param similarity_fct? "cos_sim"|"dot_score" "cos_sim" | "dot_score" = "cos_sim". Similarity of all pairs.
---@param mini_batch_size? integer integer = 32, at least 1. Texts whose activations are in memory together.
---@param mini_batch_num_tokens? integer integer = nil, at least 1. Tokens of them, instead of mini_batch_size.
---@param gather_across_devices? boolean boolean = false. Only false: there is one device.
---@param show_progress_bar? boolean boolean = false. No effect: mini-batches take no time to speak of.
---@param options? { model?: sentence_transformers.SentenceTransformer, scale?: number, similarity_fct?: "cos_sim"|"dot_score", mini_batch_size?: integer, mini_batch_num_tokens?: integer, gather_across_devices?: boolean, show_progress_bar?: boolean }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.CachedMultipleNegativesSymmetricRankingLoss(model, scale, similarity_fct, mini_batch_size, mini_batch_num_tokens, gather_across_devices, show_progress_bar, options) end

--- Margins between positive and negatives follow a teacher's: (query, positive, negatives...)
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param similarity_fct? "pairwise_cos_sim"|"pairwise_dot_score"|"pairwise_euclidean_sim"|"pairwise_manhattan_sim"|"pairwise_angle_sim" "pairwise_cos_sim" | "pairwise_dot_score" | "pairwise_euclidean_sim" | "pairwise_manhattan_sim" | "pairwise_angle_sim" = "pairwise_dot_score"
---@param options? { model?: sentence_transformers.SentenceTransformer, similarity_fct?: "pairwise_cos_sim"|"pairwise_dot_score"|"pairwise_euclidean_sim"|"pairwise_manhattan_sim"|"pairwise_angle_sim" }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.MarginMSELoss(model, similarity_fct, options) end

--- Squared error of the cosine similarity: (sentence1, sentence2) with a score.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param loss_fct? string string = "MSELoss". Only MSELoss.
---@param cos_score_transformation? string string = "Identity". Only Identity.
---@param options? { model?: sentence_transformers.SentenceTransformer, loss_fct?: string, cos_score_transformation?: string }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.CosineSimilarityLoss(model, loss_fct, cos_score_transformation, options) end

--- Pairs with a higher score should be more similar: (sentence1, sentence2) with a score.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param scale? number number = 20.0, above 0. Factor on similarities; the inverse temperature.
---@param similarity_fct? "pairwise_cos_sim"|"pairwise_dot_score"|"pairwise_euclidean_sim"|"pairwise_manhattan_sim"|"pairwise_angle_sim" "pairwise_cos_sim" | "pairwise_dot_score" | "pairwise_euclidean_sim" | "pairwise_manhattan_sim" | "pairwise_angle_sim" = "pairwise_cos_sim"
---@param options? { model?: sentence_transformers.SentenceTransformer, scale?: number, similarity_fct?: "pairwise_cos_sim"|"pairwise_dot_score"|"pairwise_euclidean_sim"|"pairwise_manhattan_sim"|"pairwise_angle_sim" }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.CoSENTLoss(model, scale, similarity_fct, options) end

--- CoSENTLoss with the angle in complex space.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param scale? number number = 20.0, above 0. Factor on similarities; the inverse temperature.
---@param options? { model?: sentence_transformers.SentenceTransformer, scale?: number }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.AnglELoss(model, scale, options) end

--- Pairs with label 1 come close, pairs with label 0 go apart.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param distance_metric? "COSINE_DISTANCE"|"EUCLIDEAN"|"MANHATTAN" "COSINE_DISTANCE" | "EUCLIDEAN" | "MANHATTAN" = "COSINE_DISTANCE". Distance of a pair.
---@param margin? number number = 0.5. Distance that negative pairs should have at least.
---@param size_average? boolean boolean = true
---@param options? { model?: sentence_transformers.SentenceTransformer, distance_metric?: "COSINE_DISTANCE"|"EUCLIDEAN"|"MANHATTAN", margin?: number, size_average?: boolean }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.ContrastiveLoss(model, distance_metric, margin, size_average, options) end

--- ContrastiveLoss over the hard pairs of a batch only.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param distance_metric? "COSINE_DISTANCE"|"EUCLIDEAN"|"MANHATTAN" "COSINE_DISTANCE" | "EUCLIDEAN" | "MANHATTAN" = "COSINE_DISTANCE". Distance of a pair.
---@param margin? number number = 0.5. Distance that negative pairs should have at least.
---@param options? { model?: sentence_transformers.SentenceTransformer, distance_metric?: "COSINE_DISTANCE"|"EUCLIDEAN"|"MANHATTAN", margin?: number }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.OnlineContrastiveLoss(model, distance_metric, margin, options) end

--- The anchor is closer to the positive than to the negative, by a margin.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param distance_metric? "COSINE"|"EUCLIDEAN"|"MANHATTAN" "COSINE" | "EUCLIDEAN" | "MANHATTAN" = "EUCLIDEAN"
---@param triplet_margin? number number = 5.0. How much further the negative should be than the positive.
---@param options? { model?: sentence_transformers.SentenceTransformer, distance_metric?: "COSINE"|"EUCLIDEAN"|"MANHATTAN", triplet_margin?: number }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.TripletLoss(model, distance_metric, triplet_margin, options) end

--- Embeddings that can be cut to fewer dimensions.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param loss sentence_transformers.Loss Loss, required. The loss that is computed for every dimension.
---@param matryoshka_dims (integer)[] sequence of integer, required
---@param matryoshka_weights? (number)[] sequence of number = 1 for each
---@param n_dims_per_step? integer integer = -1. -1: all dimensions at every step.
---@param options? { model?: sentence_transformers.SentenceTransformer, loss?: sentence_transformers.Loss, matryoshka_dims?: (integer)[], matryoshka_weights?: (number)[], n_dims_per_step?: integer }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.MatryoshkaLoss(model, loss, matryoshka_dims, matryoshka_weights, n_dims_per_step, options) end

--- Every triplet of a batch whose labels make one. Takes (sentence) and a class as label.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param distance_metric? "euclidean_distance"|"cosine_distance" "euclidean_distance" | "cosine_distance" = "euclidean_distance". One of st.losses.BatchHardTripletLossDistanceFunction.
---@param margin? number number = 5.0. How much farther a negative must be.
---@param options? { model?: sentence_transformers.SentenceTransformer, distance_metric?: "euclidean_distance"|"cosine_distance", margin?: number }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.BatchAllTripletLoss(model, distance_metric, margin, options) end

--- For each sentence its farthest positive and its nearest negative. Takes (sentence) and a class as label.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param distance_metric? "euclidean_distance"|"cosine_distance" "euclidean_distance" | "cosine_distance" = "euclidean_distance". One of st.losses.BatchHardTripletLossDistanceFunction.
---@param margin? number number = 5.0. How much farther a negative must be.
---@param options? { model?: sentence_transformers.SentenceTransformer, distance_metric?: "euclidean_distance"|"cosine_distance", margin?: number }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.BatchHardTripletLoss(model, distance_metric, margin, options) end

--- For each pair of a label the nearest negative that is farther away. Takes (sentence) and a class as label.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param distance_metric? "euclidean_distance"|"cosine_distance" "euclidean_distance" | "cosine_distance" = "euclidean_distance". One of st.losses.BatchHardTripletLossDistanceFunction.
---@param margin? number number = 5.0. How much farther a negative must be.
---@param options? { model?: sentence_transformers.SentenceTransformer, distance_metric?: "euclidean_distance"|"cosine_distance", margin?: number }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.BatchSemiHardTripletLoss(model, distance_metric, margin, options) end

--- As BatchHardTripletLoss, without a margin to choose. Takes (sentence) and a class as label.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param distance_metric? "euclidean_distance"|"cosine_distance" "euclidean_distance" | "cosine_distance" = "euclidean_distance". One of st.losses.BatchHardTripletLossDistanceFunction.
---@param options? { model?: sentence_transformers.SentenceTransformer, distance_metric?: "euclidean_distance"|"cosine_distance" }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.BatchHardSoftMarginTripletLoss(model, distance_metric, options) end

--- Mean squared error to a teacher's embeddings: (sentence...) and a list as label.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param projection_dim? integer integer = nil. Only nil: losses have no weights here.
---@param options? { model?: sentence_transformers.SentenceTransformer, projection_dim?: integer }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.MSELoss(model, projection_dim, options) end

--- Distance to a teacher's embeddings: (sentence...) and a list as label.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param distance_metric? "mse"|"l2"|"cosine" "mse" | "l2" | "cosine" = "cosine"
---@param projection_dim? integer integer = nil. Only nil: losses have no weights here.
---@param options? { model?: sentence_transformers.SentenceTransformer, distance_metric?: "mse"|"l2"|"cosine", projection_dim?: integer }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.EmbedDistillLoss(model, distance_metric, projection_dim, options) end

--- Divergence from a teacher's ranking: (query, candidates...) and their scores.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param similarity_fct? "pairwise_cos_sim"|"pairwise_dot_score"|"pairwise_euclidean_sim"|"pairwise_manhattan_sim"|"pairwise_angle_sim" "pairwise_cos_sim" | "pairwise_dot_score" | "pairwise_euclidean_sim" | "pairwise_manhattan_sim" | "pairwise_angle_sim" = "pairwise_dot_score"
---@param temperature? number number = 1.0, above 0. Of both softmaxes.
---@param student_temperature? number number = nil, above 0
---@param teacher_temperature? number number = nil, above 0
---@param options? { model?: sentence_transformers.SentenceTransformer, similarity_fct?: "pairwise_cos_sim"|"pairwise_dot_score"|"pairwise_euclidean_sim"|"pairwise_manhattan_sim"|"pairwise_angle_sim", temperature?: number, student_temperature?: number, teacher_temperature?: number }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.DistillKLDivLoss(model, similarity_fct, temperature, student_temperature, teacher_temperature, options) end

--- A loss written in Lua; gradients are taken of what the function computes.
---@param model sentence_transformers.SentenceTransformer SentenceTransformer, required. The model that is trained.
---@param loss_function function function, required. Gets a sequence with one matrix of embeddings for each text column, and the matrix of labels or nil; gives a matrix of one number.
---@param options? { model?: sentence_transformers.SentenceTransformer, loss_function?: function, name?: string }
---@return sentence_transformers.Loss
function M_sentence_transformers_losses.Custom(model, loss_function, options) end

--- Not supported: its classifier would be weights outside of the model. Use CoSENTLoss or CosineSimilarityLoss with scores, or ContrastiveLoss with labels 0 and 1.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_losses.SoftmaxLoss(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Not supported: it embeds every batch with a second model. Use MultipleNegativesRankingLoss, with negatives that were chosen beforehand.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_losses.GISTEmbedLoss(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Not supported: it embeds every batch with a second model. Use CachedMultipleNegativesRankingLoss, with negatives that were chosen beforehand.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_losses.CachedGISTEmbedLoss(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Not supported: it is not written yet. Use CachedMultipleNegativesRankingLoss, whose hardness_mode prefers hard negatives.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_losses.MegaBatchMarginLoss(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Not supported: it trains the embeddings of every layer. Use MatryoshkaLoss, or a model with fewer layers.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_losses.AdaptiveLayerLoss(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Not supported: it trains the embeddings of every layer. Use MatryoshkaLoss.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_losses.Matryoshka2dLoss(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Not supported: it is not written yet. Use st.losses.Custom, which can compute it.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_losses.GlobalOrthogonalRegularizationLoss(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Not supported: its decoder would be weights outside of the model. Use MultipleNegativesRankingLoss, with each text as its own positive.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_losses.DenoisingAutoEncoderLoss(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Not supported: it trains a copy of the model. Use MultipleNegativesRankingLoss, with each text as its own positive.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_losses.ContrastiveTensionLoss(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Not supported: it trains a copy of the model. Use MultipleNegativesRankingLoss, with each text as its own positive.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_losses.ContrastiveTensionLossInBatchNegatives(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

---@type sentence_transformers.losses.BatchHardTripletLossDistanceFunction
M_sentence_transformers_losses.BatchHardTripletLossDistanceFunction = nil

---@type sentence_transformers.losses.TripletDistanceMetric
M_sentence_transformers_losses.TripletDistanceMetric = nil

---@type sentence_transformers.losses.SiameseDistanceMetric
M_sentence_transformers_losses.SiameseDistanceMetric = nil

---@class sentence_transformers.losses.BatchHardTripletLossDistanceFunction
local M_sentence_transformers_losses_BatchHardTripletLossDistanceFunction = {}

M_sentence_transformers_losses_BatchHardTripletLossDistanceFunction.euclidean_distance = "euclidean_distance"

M_sentence_transformers_losses_BatchHardTripletLossDistanceFunction.cosine_distance = "cosine_distance"

---@class sentence_transformers.losses.TripletDistanceMetric
local M_sentence_transformers_losses_TripletDistanceMetric = {}

M_sentence_transformers_losses_TripletDistanceMetric.COSINE = "COSINE"

M_sentence_transformers_losses_TripletDistanceMetric.EUCLIDEAN = "EUCLIDEAN"

M_sentence_transformers_losses_TripletDistanceMetric.MANHATTAN = "MANHATTAN"

---@class sentence_transformers.losses.SiameseDistanceMetric
local M_sentence_transformers_losses_SiameseDistanceMetric = {}

M_sentence_transformers_losses_SiameseDistanceMetric.COSINE_DISTANCE = "COSINE_DISTANCE"

M_sentence_transformers_losses_SiameseDistanceMetric.EUCLIDEAN = "EUCLIDEAN"

M_sentence_transformers_losses_SiameseDistanceMetric.MANHATTAN = "MANHATTAN"

--- Similarities and search.
---@class sentence_transformers.util
local M_sentence_transformers_util = {}

--- Cosines of all rows with all rows.
---@param a number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param b number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { a?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[], b?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function M_sentence_transformers_util.cos_sim(a, b, options) end

--- Dot products of all rows with all rows.
---@param a number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param b number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { a?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[], b?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function M_sentence_transformers_util.dot_score(a, b, options) end

--- Negative distances of all rows with all rows.
---@param a number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param b number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { a?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[], b?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function M_sentence_transformers_util.euclidean_sim(a, b, options) end

--- Negative city-block distances of all rows with all rows.
---@param a number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param b number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { a?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[], b?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function M_sentence_transformers_util.manhattan_sim(a, b, options) end

--- Cosines row by row.
---@param a number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param b number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { a?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[], b?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function M_sentence_transformers_util.pairwise_cos_sim(a, b, options) end

--- Dot products row by row.
---@param a number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param b number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { a?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[], b?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function M_sentence_transformers_util.pairwise_dot_score(a, b, options) end

--- Negative distances row by row.
---@param a number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param b number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { a?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[], b?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function M_sentence_transformers_util.pairwise_euclidean_sim(a, b, options) end

--- Negative city-block distances row by row.
---@param a number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param b number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { a?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[], b?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function M_sentence_transformers_util.pairwise_manhattan_sim(a, b, options) end

--- Rows of length 1.
---@param embeddings number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param options? { embeddings?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] }
---@return any
function M_sentence_transformers_util.normalize_embeddings(embeddings, options) end

--- The first columns.
---@param embeddings number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[] number or Matrix or DifferentiableMatrix or sequence, required
---@param truncate_dim integer integer, required, at least 1. Columns to keep.
---@param options? { embeddings?: number|sentence_transformers.Matrix|sentence_transformers.DifferentiableMatrix|(any)[], truncate_dim?: integer }
---@return any
function M_sentence_transformers_util.truncate_embeddings(embeddings, truncate_dim, options) end

--- For each query the most similar documents: sequences of { corpus_id, score }, where corpus_id is a row from 1.
---@param query_embeddings sentence_transformers.Matrix|(any)[] Matrix or sequence, required
---@param corpus_embeddings sentence_transformers.Matrix|(any)[] Matrix or sequence, required
---@param query_chunk_size? integer integer = 100, at least 1. Queries at a time.
---@param corpus_chunk_size? integer integer = 500000, at least 1. Documents at a time.
---@param top_k? integer integer = 10, at least 1. Hits for each query.
---@param score_function? "cos_sim"|"dot_score"|"euclidean_sim"|"manhattan_sim"|function "cos_sim" | "dot_score" | "euclidean_sim" | "manhattan_sim" or function = "cos_sim". Similarities of all rows with all rows.
---@param options? { query_embeddings?: sentence_transformers.Matrix|(any)[], corpus_embeddings?: sentence_transformers.Matrix|(any)[], query_chunk_size?: integer, corpus_chunk_size?: integer, top_k?: integer, score_function?: "cos_sim"|"dot_score"|"euclidean_sim"|"manhattan_sim"|function }
---@return ((table)[])[]
function M_sentence_transformers_util.semantic_search(query_embeddings, corpus_embeddings, query_chunk_size, corpus_chunk_size, top_k, score_function, options) end

---@class sentence_transformers.evaluation
local M_sentence_transformers_evaluation = {}

--- Pearson and Spearman correlation of similarities with gold scores.
---@param sentences1 (string)[]|datasets.Column sequence of string or Column, required
---@param sentences2 (string)[]|datasets.Column sequence of string or Column, required
---@param scores (number)[]|datasets.Column sequence of number or Column, required. Gold similarity of each pair.
---@param batch_size? integer integer = 16, at least 1. Sentences encoded at a time.
---@param main_similarity? "cosine"|"dot"|"euclidean"|"manhattan" "cosine" | "dot" | "euclidean" | "manhattan" = nil
---@param similarity_fn_names? ("cosine"|"dot"|"euclidean"|"manhattan")[] sequence of "cosine" | "dot" | "euclidean" | "manhattan" = the main similarity, or the model's. Which similarities to score.
---@param name? string string = "". Goes before every metric, with an underscore.
---@param show_progress_bar? boolean boolean = false
---@param write_csv? boolean boolean = true. Whether a trainer's evaluations are appended to a CSV file.
---@param precision? "float32"|"int8"|"uint8"|"binary"|"ubinary" "float32" | "int8" | "uint8" | "binary" | "ubinary" = nil
---@param truncate_dim? integer integer = nil, at least 1. Dimensions of the embeddings to use.
---@param options? { sentences1?: (string)[]|datasets.Column, sentences2?: (string)[]|datasets.Column, scores?: (number)[]|datasets.Column, batch_size?: integer, main_similarity?: "cosine"|"dot"|"euclidean"|"manhattan", similarity_fn_names?: ("cosine"|"dot"|"euclidean"|"manhattan")[], name?: string, show_progress_bar?: boolean, write_csv?: boolean, precision?: "float32"|"int8"|"uint8"|"binary"|"ubinary", truncate_dim?: integer }
---@return sentence_transformers.Evaluator
function M_sentence_transformers_evaluation.EmbeddingSimilarityEvaluator(sentences1, sentences2, scores, batch_size, main_similarity, similarity_fn_names, name, show_progress_bar, write_csv, precision, truncate_dim, options) end

--- How often the anchor is more similar to the positive than to the negative.
---@param anchors (string)[]|datasets.Column sequence of string or Column, required
---@param positives (string)[]|datasets.Column sequence of string or Column, required
---@param negatives (string)[]|datasets.Column sequence of string or Column, required
---@param main_similarity_function? "cosine"|"dot"|"euclidean"|"manhattan" "cosine" | "dot" | "euclidean" | "manhattan" = nil
---@param margin? number|table<string, number> number or table of number by name = nil. How much more similar the positive must be; a number or one per function.
---@param name? string string = "". Goes before every metric, with an underscore.
---@param batch_size? integer integer = 16, at least 1. Sentences encoded at a time.
---@param show_progress_bar? boolean boolean = false
---@param write_csv? boolean boolean = true. Whether a trainer's evaluations are appended to a CSV file.
---@param truncate_dim? integer integer = nil, at least 1. Dimensions of the embeddings to use.
---@param similarity_fn_names? ("cosine"|"dot"|"euclidean"|"manhattan")[] sequence of "cosine" | "dot" | "euclidean" | "manhattan" = the main similarity, or the model's. Which similarities to score.
---@param options? { anchors?: (string)[]|datasets.Column, positives?: (string)[]|datasets.Column, negatives?: (string)[]|datasets.Column, main_similarity_function?: "cosine"|"dot"|"euclidean"|"manhattan", margin?: number|table<string, number>, name?: string, batch_size?: integer, show_progress_bar?: boolean, write_csv?: boolean, truncate_dim?: integer, similarity_fn_names?: ("cosine"|"dot"|"euclidean"|"manhattan")[] }
---@return sentence_transformers.Evaluator
function M_sentence_transformers_evaluation.TripletEvaluator(anchors, positives, negatives, main_similarity_function, margin, name, batch_size, show_progress_bar, write_csv, truncate_dim, similarity_fn_names, options) end

--- How well queries find their documents: accuracy, precision, recall, MRR, NDCG, MAP.
---@param queries table table, required. Texts by id.
---@param corpus table table, required. Documents by id.
---@param relevant_docs table table, required. For each query's id a sequence or set of document ids.
---@param corpus_chunk_size? integer integer = 50000, at least 1. Documents scored at a time.
---@param mrr_at_k? (integer)[] sequence of integer = {10}. Ranks at which it is taken.
---@param ndcg_at_k? (integer)[] sequence of integer = {10}. Ranks at which it is taken.
---@param accuracy_at_k? (integer)[] sequence of integer = {1, 3, 5, 10}. Ranks at which it is taken.
---@param precision_recall_at_k? (integer)[] sequence of integer = {1, 3, 5, 10}. Ranks at which it is taken.
---@param map_at_k? (integer)[] sequence of integer = {100}. Ranks at which it is taken.
---@param show_progress_bar? boolean boolean = false
---@param batch_size? integer integer = 32, at least 1. Sentences encoded at a time.
---@param name? string string = "". Goes before every metric, with an underscore.
---@param write_csv? boolean boolean = true. Whether a trainer's evaluations are appended to a CSV file.
---@param truncate_dim? integer integer = nil, at least 1. Dimensions of the embeddings to use.
---@param score_functions? ("cosine"|"dot"|"euclidean"|"manhattan")[] sequence of "cosine" | "dot" | "euclidean" | "manhattan" = the model's similarity. Which similarities to score.
---@param main_score_function? "cosine"|"dot"|"euclidean"|"manhattan" "cosine" | "dot" | "euclidean" | "manhattan" = nil
---@param options? { queries?: table, corpus?: table, relevant_docs?: table, corpus_chunk_size?: integer, mrr_at_k?: (integer)[], ndcg_at_k?: (integer)[], accuracy_at_k?: (integer)[], precision_recall_at_k?: (integer)[], map_at_k?: (integer)[], show_progress_bar?: boolean, batch_size?: integer, name?: string, write_csv?: boolean, truncate_dim?: integer, score_functions?: ("cosine"|"dot"|"euclidean"|"manhattan")[], main_score_function?: "cosine"|"dot"|"euclidean"|"manhattan" }
---@return sentence_transformers.Evaluator
function M_sentence_transformers_evaluation.InformationRetrievalEvaluator(queries, corpus, relevant_docs, corpus_chunk_size, mrr_at_k, ndcg_at_k, accuracy_at_k, precision_recall_at_k, map_at_k, show_progress_bar, batch_size, name, write_csv, truncate_dim, score_functions, main_score_function, options) end

--- How well a query's right documents are ranked among its candidates.
---@param samples (table)[] sequence of table, required. { query = text, positive = text or sequence, negative = text or sequence }
---@param at_k? integer integer = 10, at least 1. Rank of MRR and NDCG.
---@param name? string string = "". Goes before every metric, with an underscore.
---@param write_csv? boolean boolean = true. Whether a trainer's evaluations are appended to a CSV file.
---@param similarity_fct? "cos_sim"|"dot_score"|"euclidean_sim"|"manhattan_sim" "cos_sim" | "dot_score" | "euclidean_sim" | "manhattan_sim" = "cos_sim"
---@param batch_size? integer integer = 64, at least 1. Sentences encoded at a time.
---@param show_progress_bar? boolean boolean = false
---@param use_batched_encoding? boolean boolean = true
---@param truncate_dim? integer integer = nil, at least 1. Dimensions of the embeddings to use.
---@param options? { samples?: (table)[], at_k?: integer, name?: string, write_csv?: boolean, similarity_fct?: "cos_sim"|"dot_score"|"euclidean_sim"|"manhattan_sim", batch_size?: integer, show_progress_bar?: boolean, use_batched_encoding?: boolean, truncate_dim?: integer }
---@return sentence_transformers.Evaluator
function M_sentence_transformers_evaluation.RerankingEvaluator(samples, at_k, name, write_csv, similarity_fct, batch_size, show_progress_bar, use_batched_encoding, truncate_dim, options) end

--- How well a threshold on the similarity tells similar pairs from others.
---@param sentences1 (string)[]|datasets.Column sequence of string or Column, required
---@param sentences2 (string)[]|datasets.Column sequence of string or Column, required
---@param labels (number)[]|datasets.Column sequence of number or Column, required. 1 (similar) or 0 for each pair.
---@param name? string string = "". Goes before every metric, with an underscore.
---@param batch_size? integer integer = 32, at least 1. Sentences encoded at a time.
---@param show_progress_bar? boolean boolean = false
---@param write_csv? boolean boolean = true. Whether a trainer's evaluations are appended to a CSV file.
---@param truncate_dim? integer integer = nil, at least 1. Dimensions of the embeddings to use.
---@param similarity_fn_names? ("cosine"|"dot"|"euclidean"|"manhattan")[] sequence of "cosine" | "dot" | "euclidean" | "manhattan" = the model's. Which similarities to score.
---@param options? { sentences1?: (string)[]|datasets.Column, sentences2?: (string)[]|datasets.Column, labels?: (number)[]|datasets.Column, name?: string, batch_size?: integer, show_progress_bar?: boolean, write_csv?: boolean, truncate_dim?: integer, similarity_fn_names?: ("cosine"|"dot"|"euclidean"|"manhattan")[] }
---@return sentence_transformers.Evaluator
function M_sentence_transformers_evaluation.BinaryClassificationEvaluator(sentences1, sentences2, labels, name, batch_size, show_progress_bar, write_csv, truncate_dim, similarity_fn_names, options) end

--- How often a sentence is closest to its own translation, in both directions.
---@param source_sentences (string)[]|datasets.Column sequence of string or Column, required
---@param target_sentences (string)[]|datasets.Column sequence of string or Column, required
---@param show_progress_bar? boolean boolean = false
---@param batch_size? integer integer = 16, at least 1. Sentences encoded at a time.
---@param name? string string = "". Goes before every metric, with an underscore.
---@param print_wrong_matches? boolean boolean = false. Only false.
---@param write_csv? boolean boolean = true. Whether a trainer's evaluations are appended to a CSV file.
---@param truncate_dim? integer integer = nil, at least 1. Dimensions of the embeddings to use.
---@param options? { source_sentences?: (string)[]|datasets.Column, target_sentences?: (string)[]|datasets.Column, show_progress_bar?: boolean, batch_size?: integer, name?: string, print_wrong_matches?: boolean, write_csv?: boolean, truncate_dim?: integer }
---@return sentence_transformers.Evaluator
function M_sentence_transformers_evaluation.TranslationEvaluator(source_sentences, target_sentences, show_progress_bar, batch_size, name, print_wrong_matches, write_csv, truncate_dim, options) end

--- Minus a hundred times the mean squared difference from a teacher's embeddings.
---@param source_sentences (string)[]|datasets.Column sequence of string or Column, required
---@param target_sentences (string)[]|datasets.Column sequence of string or Column, required
---@param show_progress_bar? boolean boolean = false
---@param batch_size? integer integer = 32, at least 1. Sentences encoded at a time.
---@param name? string string = "". Goes before every metric, with an underscore.
---@param write_csv? boolean boolean = true. Whether a trainer's evaluations are appended to a CSV file.
---@param truncate_dim? integer integer = nil, at least 1. Dimensions of the embeddings to use.
---@param options? { source_sentences?: (string)[]|datasets.Column, target_sentences?: (string)[]|datasets.Column, show_progress_bar?: boolean, batch_size?: integer, name?: string, write_csv?: boolean, truncate_dim?: integer, teacher_model?: sentence_transformers.SentenceTransformer }
---@return sentence_transformers.Evaluator
function M_sentence_transformers_evaluation.MSEEvaluator(source_sentences, target_sentences, show_progress_bar, batch_size, name, write_csv, truncate_dim, options) end

--- Several evaluators, one after the other.
---@param evaluators (any)[] sequence, required
---@param main_score_function? function function = nil. Gets the sequence of primary metrics; the last one counts by default.
---@param options? { evaluators?: (any)[], main_score_function?: function }
---@return sentence_transformers.Evaluator
function M_sentence_transformers_evaluation.SequentialEvaluator(evaluators, main_score_function, options) end

--- Not supported: it measures the classifier of SoftmaxLoss, which is not there. Use BinaryClassificationEvaluator, or a function of the model.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_evaluation.LabelAccuracyEvaluator(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Not supported: it is not written yet. Use BinaryClassificationEvaluator, or InformationRetrievalEvaluator.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_evaluation.ParaphraseMiningEvaluator(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Not supported: there are no data frames. Use MSEEvaluator, once for each pair of languages.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_evaluation.MSEEvaluatorFromDataFrame(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Not supported: it fetches data sets of its own. Use InformationRetrievalEvaluator, with data of datasets.load_dataset.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_sentence_transformers_evaluation.NanoBEIREvaluator(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

---@class sentence_transformers.SimilarityFunction
local M_sentence_transformers_SimilarityFunction = {}

M_sentence_transformers_SimilarityFunction.COSINE = "cosine"

M_sentence_transformers_SimilarityFunction.DOT = "dot"

M_sentence_transformers_SimilarityFunction.EUCLIDEAN = "euclidean"

M_sentence_transformers_SimilarityFunction.MANHATTAN = "manhattan"

M_sentence_transformers_SimilarityFunction.DOT_PRODUCT = "dot"

---@class sentence_transformers.BatchSamplers
local M_sentence_transformers_BatchSamplers = {}

M_sentence_transformers_BatchSamplers.BATCH_SAMPLER = "batch_sampler"

M_sentence_transformers_BatchSamplers.NO_DUPLICATES = "no_duplicates"

M_sentence_transformers_BatchSamplers.NO_DUPLICATES_HASHED = "no_duplicates_hashed"

M_sentence_transformers_BatchSamplers.GROUP_BY_LABEL = "group_by_label"

---@class sentence_transformers.MultiDatasetBatchSamplers
local M_sentence_transformers_MultiDatasetBatchSamplers = {}

M_sentence_transformers_MultiDatasetBatchSamplers.ROUND_ROBIN = "round_robin"

M_sentence_transformers_MultiDatasetBatchSamplers.PROPORTIONAL = "proportional"

return M_sentence_transformers
