---@meta optuna
-- Written by `st-host generate stubs`.

---@class Pruner

---@class Sampler

---@class Storage

--- error(optuna.TrialPruned()) gives the trial up, as optuna.prune().
---@class optuna.TrialPruned
local TrialPruned = {}

--- How a child's numbers come from its parents'.
---@class optuna.Crossover
local Crossover = {}

--- Where a parameter's values come from.
---@class optuna.Distribution
---@field [string|integer] any
local Distribution = {}

--- A trial as it stood when it was read.
---@class optuna.FrozenTrial
---@field constraints table 
---@field datetime_complete string Local time.
---@field datetime_start string Local time.
---@field distributions table 
---@field duration number Seconds.
---@field fail_reason string Why a failed trial failed; nil otherwise.
---@field intermediate_values table Reported values by step.
---@field last_step integer 
---@field number integer 
---@field params table 
---@field state string A TrialState.
---@field system_attrs table 
---@field user_attrs table 
---@field value number 
---@field values (number)[] 
local FrozenTrial = {}

--- A float of [low, high].
---@param name string string, required
---@param low number number, required
---@param high number number, required
---@param options? { name?: string, low?: number, high?: number, step?: number, log?: boolean }
---@return number
function FrozenTrial:suggest_float(name, low, high, options) end

--- An integer of [low, high].
---@param name string string, required
---@param low integer integer, required
---@param high integer integer, required
---@param options? { name?: string, low?: integer, high?: integer, step?: integer, log?: boolean }
---@return integer
function FrozenTrial:suggest_int(name, low, high, options) end

--- One of the choices.
---@param name string string, required
---@param choices (any)[] sequence, required. nil, booleans, numbers and strings.
---@param options? { name?: string, choices?: (any)[] }
---@return any
function FrozenTrial:suggest_categorical(name, choices, options) end

--- suggest_float, by its old name.
---@param name string string, required
---@param low number number, required
---@param high number number, required
---@param options? { name?: string, low?: number, high?: number }
---@return number
function FrozenTrial:suggest_uniform(name, low, high, options) end

--- suggest_float with log, by its old name.
---@param name string string, required
---@param low number number, required
---@param high number number, required
---@param options? { name?: string, low?: number, high?: number }
---@return number
function FrozenTrial:suggest_loguniform(name, low, high, options) end

--- suggest_float with step = q, by its old name.
---@param name string string, required
---@param low number number, required
---@param high number number, required
---@param q number number, required
---@param options? { name?: string, low?: number, high?: number, q?: number }
---@return number
function FrozenTrial:suggest_discrete_uniform(name, low, high, q, options) end

--- Does nothing: the trial is over.
---@param value number number, required
---@param step integer integer, required
---@param options? { value?: number, step?: integer }
function FrozenTrial:report(value, step, options) end

--- false
---@return boolean
function FrozenTrial:should_prune() end

--- Sets an attribute of this record only.
---@param key string string, required
---@param value? any any = nil
---@param options? { key?: string }
function FrozenTrial:set_user_attr(key, value, options) end

--- Sets a constraint of this record only.
---@param key string string, required
---@param value number number, required
---@param options? { key?: string, value?: number }
function FrozenTrial:set_constraint(key, value, options) end

--- Finds out how much each parameter matters.
---@class optuna.ImportanceEvaluator
local ImportanceEvaluator = {}

--- How a number of a child changes.
---@class optuna.Mutation
local Mutation = {}

--- A search: objectives and the trials made so far.
---@class optuna.Study
---@field best_params table 
---@field best_trial optuna.FrozenTrial 
---@field best_trials (optuna.FrozenTrial)[] The trials that no other one dominates.
---@field best_value number 
---@field direction string 
---@field directions (string)[] 
---@field metric_names (string)[] 
---@field pruner Pruner Another one takes over with the next decision.
---@field sampler Sampler Another one takes over with the next trial.
---@field study_name string 
---@field trials (optuna.FrozenTrial)[] 
---@field user_attrs table 
local Study = {}

--- The trials in those states, or all.
---@param deepcopy? boolean boolean = true
---@param states? (string)[] sequence of string = nil
---@param options? { deepcopy?: boolean, states?: (string)[] }
---@return (optuna.FrozenTrial)[]
function Study:get_trials(deepcopy, states, options) end

--- Sets or replaces an attribute of the study.
---@param key string string, required
---@param value? any any = nil
---@param options? { key?: string }
function Study:set_user_attr(key, value, options) end

---@param metric_names (string)[] sequence of string, required
---@param options? { metric_names?: (string)[] }
function Study:set_metric_names(metric_names, options) end

--- Runs trials until there are enough, the time is up or stop is called.
---@param func function function, required. Gets the trial, returns its value or values.
---@param n_trials? integer integer = nil, at least 0
---@param timeout? number number = nil, at least 0. Seconds.
---@param n_jobs? integer integer = 1. Trials at the same time, -1 for one a processor; the script's code of only one of them runs.
---@param catch? boolean boolean = false. Go on after an error of the objective.
---@param callbacks? (function)[] sequence of function = nil. Get study and trial.
---@param gc_after_trial? boolean boolean = false. Collect garbage after each trial.
---@param show_progress_bar? boolean boolean = false
---@param options? { func?: function, n_trials?: integer, timeout?: number, n_jobs?: integer, catch?: boolean, callbacks?: (function)[], gc_after_trial?: boolean, show_progress_bar?: boolean }
function Study:optimize(func, n_trials, timeout, n_jobs, catch, callbacks, gc_after_trial, show_progress_bar, options) end

--- Queues a point; the next trial takes it.
---@param params table<string, any> table, required. Values by name; the rest is sampled.
---@param user_attrs? table<string, any> table = nil
---@param skip_if_exists? boolean boolean = false
---@param options? { params?: table<string, any>, user_attrs?: table<string, any>, skip_if_exists?: boolean }
function Study:enqueue_trial(params, user_attrs, skip_if_exists, options) end

---@param trial optuna.FrozenTrial FrozenTrial, required
---@param options? { trial?: optuna.FrozenTrial }
function Study:add_trial(trial, options) end

---@param trials (optuna.FrozenTrial)[] sequence of FrozenTrial, required
---@param options? { trials?: (optuna.FrozenTrial)[] }
function Study:add_trials(trials, options) end

--- A trial for a loop of the script's own; finish it with tell.
---@param fixed_distributions? table<string, any> table = nil. Ranges by name; these parameters are suggested right away.
---@return optuna.Trial
function Study:ask(fixed_distributions) end

--- Finishes a trial that ask gave out.
---@param trial optuna.Trial|integer Trial or integer, required
---@param values? number|string|boolean|(any)[] number or string or boolean or sequence = nil
---@param state? "RUNNING"|"COMPLETE"|"PRUNED"|"FAIL"|"WAITING" "RUNNING" | "COMPLETE" | "PRUNED" | "FAIL" | "WAITING" = nil
---@param skip_if_finished? boolean boolean = false
---@param options? { trial?: optuna.Trial|integer, values?: number|string|boolean|(any)[], state?: "RUNNING"|"COMPLETE"|"PRUNED"|"FAIL"|"WAITING", skip_if_finished?: boolean }
---@return optuna.FrozenTrial
function Study:tell(trial, values, state, skip_if_finished, options) end

--- Ends optimize after the current trial.
function Study:stop() end

--- What there is to say about a study.
---@class optuna.StudySummary
---@field best_trial optuna.FrozenTrial Nil for several objectives.
---@field datetime_start string Local time of the first trial's start.
---@field direction string Nil for several objectives.
---@field directions (string)[] 
---@field n_trials integer 
---@field study_name string 
---@field system_attrs table 
---@field user_attrs table 
local StudySummary = {}

--- A running trial: asks for parameters, reports.
---@class optuna.Trial
---@field constraints table 
---@field datetime_start string Local time.
---@field distributions table 
---@field number integer Place in the study, from 0.
---@field params table 
---@field relative_params table 
---@field state string A TrialState.
---@field study optuna.Study 
---@field user_attrs table 
---@field value number nil while it runs.
---@field values (number)[] nil while it runs.
local Trial = {}

--- A float of [low, high].
---@param name string string, required
---@param low number number, required
---@param high number number, required
---@param options? { name?: string, low?: number, high?: number, step?: number, log?: boolean }
---@return number
function Trial:suggest_float(name, low, high, options) end

--- An integer of [low, high].
---@param name string string, required
---@param low integer integer, required
---@param high integer integer, required
---@param options? { name?: string, low?: integer, high?: integer, step?: integer, log?: boolean }
---@return integer
function Trial:suggest_int(name, low, high, options) end

--- One of the choices.
---@param name string string, required
---@param choices (any)[] sequence, required. nil, booleans, numbers and strings.
---@param options? { name?: string, choices?: (any)[] }
---@return any
function Trial:suggest_categorical(name, choices, options) end

--- suggest_float, by its old name.
---@param name string string, required
---@param low number number, required
---@param high number number, required
---@param options? { name?: string, low?: number, high?: number }
---@return number
function Trial:suggest_uniform(name, low, high, options) end

--- suggest_float with log, by its old name.
---@param name string string, required
---@param low number number, required
---@param high number number, required
---@param options? { name?: string, low?: number, high?: number }
---@return number
function Trial:suggest_loguniform(name, low, high, options) end

--- suggest_float with step = q, by its old name.
---@param name string string, required
---@param low number number, required
---@param high number number, required
---@param q number number, required
---@param options? { name?: string, low?: number, high?: number, q?: number }
---@return number
function Trial:suggest_discrete_uniform(name, low, high, q, options) end

--- Notes an intermediate value, for the pruner.
---@param value number number, required
---@param step integer integer, required. 0 or more; the same unit in all trials.
---@param options? { value?: number, step?: integer }
function Trial:report(value, step, options) end

--- Whether the pruner gives this trial up: then optuna.prune().
---@return boolean
function Trial:should_prune() end

--- Sets or replaces an attribute of the trial.
---@param key string string, required
---@param value? any any = nil
---@param options? { key?: string }
function Trial:set_user_attr(key, value, options) end

--- Notes how far a constraint is violated; above 0 is violated.
---@param key string string, required
---@param value number number, required
---@param options? { key?: string, value?: number }
function Trial:set_constraint(key, value, options) end

--- A callback that ends optimize when the study, over all its workers, has enough trials.
---@class optuna.MaxTrialsCallback
---@overload fun(study: optuna.Study, trial: optuna.FrozenTrial, options?: { study?: optuna.Study, trial?: optuna.FrozenTrial }): any
local MaxTrialsCallback = {}

--- Suggests given values, outside of any study.
---@class optuna.FixedTrial
---@field constraints table 
---@field datetime_start string Local time.
---@field distributions table 
---@field number integer 
---@field params table What was asked for so far.
---@field user_attrs table 
local FixedTrial = {}

--- A float of [low, high].
---@param name string string, required
---@param low number number, required
---@param high number number, required
---@param options? { name?: string, low?: number, high?: number, step?: number, log?: boolean }
---@return number
function FixedTrial:suggest_float(name, low, high, options) end

--- An integer of [low, high].
---@param name string string, required
---@param low integer integer, required
---@param high integer integer, required
---@param options? { name?: string, low?: integer, high?: integer, step?: integer, log?: boolean }
---@return integer
function FixedTrial:suggest_int(name, low, high, options) end

--- One of the choices.
---@param name string string, required
---@param choices (any)[] sequence, required. nil, booleans, numbers and strings.
---@param options? { name?: string, choices?: (any)[] }
---@return any
function FixedTrial:suggest_categorical(name, choices, options) end

--- suggest_float, by its old name.
---@param name string string, required
---@param low number number, required
---@param high number number, required
---@param options? { name?: string, low?: number, high?: number }
---@return number
function FixedTrial:suggest_uniform(name, low, high, options) end

--- suggest_float with log, by its old name.
---@param name string string, required
---@param low number number, required
---@param high number number, required
---@param options? { name?: string, low?: number, high?: number }
---@return number
function FixedTrial:suggest_loguniform(name, low, high, options) end

--- suggest_float with step = q, by its old name.
---@param name string string, required
---@param low number number, required
---@param high number number, required
---@param q number number, required
---@param options? { name?: string, low?: number, high?: number, q?: number }
---@return number
function FixedTrial:suggest_discrete_uniform(name, low, high, q, options) end

---@param value number number, required
---@param step integer integer, required
---@param options? { value?: number, step?: integer }
function FixedTrial:report(value, step, options) end

--- false
---@return boolean
function FixedTrial:should_prune() end

---@param key string string, required
---@param value? any any = nil
---@param options? { key?: string }
function FixedTrial:set_user_attr(key, value, options) end

---@param key string string, required
---@param value number number, required
---@param options? { key?: string, value?: number }
function FixedTrial:set_constraint(key, value, options) end

--- Tree-structured Parzen estimators; the default.
---@class optuna.TPESampler: Sampler
local TPESampler = {}

--- Uniform draws.
---@class optuna.RandomSampler: Sampler
local RandomSampler = {}

--- Every combination of listed values, once.
---@class optuna.GridSampler: Sampler
local GridSampler = {}

--- Some parameters held, the others sampled.
---@class optuna.PartialFixedSampler: Sampler
local PartialFixedSampler = {}

--- Every combination of a finite space, once.
---@class optuna.BruteForceSampler: Sampler
local BruteForceSampler = {}

--- Points of a low-discrepancy sequence.
---@class optuna.QMCSampler: Sampler
local QMCSampler = {}

--- Covariance matrix adaptation, for numbers.
---@class optuna.CmaEsSampler: Sampler
local CmaEsSampler = {}

--- Gaussian processes, for few and expensive trials.
---@class optuna.GPSampler: Sampler
local GPSampler = {}

--- A genetic algorithm for several objectives.
---@class optuna.NSGAIISampler: Sampler
local NSGAIISampler = {}

--- Prunes what is worse than the median.
---@class optuna.MedianPruner: Pruner
local MedianPruner = {}

--- Keeps the best percentile of trials.
---@class optuna.PercentilePruner: Pruner
local PercentilePruner = {}

--- Lets a fraction of the trials pass each rung.
---@class optuna.SuccessiveHalvingPruner: Pruner
local SuccessiveHalvingPruner = {}

--- Several successive halvings side by side.
---@class optuna.HyperbandPruner: Pruner
local HyperbandPruner = {}

--- Prunes nothing.
---@class optuna.NopPruner: Pruner
local NopPruner = {}

--- Prunes by fixed bounds.
---@class optuna.ThresholdPruner: Pruner
local ThresholdPruner = {}

--- Waits before another pruner decides.
---@class optuna.PatientPruner: Pruner
local PatientPruner = {}

--- A paired test against the best trial.
---@class optuna.WilcoxonPruner: Pruner
local WilcoxonPruner = {}

--- Studies that live as long as the script.
---@class optuna.InMemoryStorage: Storage
local InMemoryStorage = {}

--- Queues a dead worker's trial again.
---@class optuna.RetryHeartbeatStaleTrialCallback
---@overload fun(study: optuna.Study, trial: optuna.FrozenTrial, options?: { study?: optuna.Study, trial?: optuna.FrozenTrial }): any
local RetryHeartbeatStaleTrialCallback = {}

--- Queues a dead worker's trial again.
---@class optuna.RetryFailedTrialCallback
---@overload fun(study: optuna.Study, trial: optuna.FrozenTrial, options?: { study?: optuna.Study, trial?: optuna.FrozenTrial }): any
local RetryFailedTrialCallback = {}

--- Studies in a database that Optuna shares.
---@class optuna.RDBStorage: Storage
---@field url string Without the password.
local RDBStorage = {}

--- Studies in a journal that Optuna shares.
---@class optuna.JournalStorage: Storage
local JournalStorage = {}

--- Keeps the writers of a journal apart.
---@class optuna.JournalFileSymlinkLock
local JournalFileSymlinkLock = {}

--- Keeps the writers of a journal apart.
---@class optuna.JournalFileOpenLock
local JournalFileOpenLock = {}

--- A file with one change a line.
---@class optuna.JournalFileBackend
local JournalFileBackend = {}

--- Hyperparameter search as in Optuna 5.0.
---@class optuna
local M_optuna = {}

--- A new study.
---@param options? { storage?: string|Storage, sampler?: Sampler, pruner?: Pruner, study_name?: string, direction?: any, load_if_exists?: boolean, directions?: (string)[] }
---@return optuna.Study
function M_optuna.create_study(options) end

--- A study that exists.
---@param options? { study_name?: string, storage?: string|Storage, sampler?: Sampler, pruner?: Pruner }
---@return optuna.Study
function M_optuna.load_study(options) end

--- Removes a study with its trials.
---@param options? { study_name?: string, storage?: string|Storage }
function M_optuna.delete_study(options) end

--- Copies a study with attributes and trials.
---@param options? { from_study_name?: string, from_storage?: string|Storage, to_storage?: string|Storage, to_study_name?: string }
function M_optuna.copy_study(options) end

--- In the order of creation.
---@param storage string|Storage string or Storage, required
---@param options? { storage?: string|Storage }
---@return (string)[]
function M_optuna.get_all_study_names(storage, options) end

--- One StudySummary for each study.
---@param storage string|Storage string or Storage, required
---@param include_best_trial? boolean boolean = true
---@param options? { storage?: string|Storage, include_best_trial?: boolean }
---@return (optuna.StudySummary)[]
function M_optuna.get_all_study_summaries(storage, include_best_trial, options) end

--- A record for study:add_trial: a result that was found elsewhere.
---@param options? { state?: "RUNNING"|"COMPLETE"|"PRUNED"|"FAIL"|"WAITING", value?: number, values?: (number)[], params?: table<string, any>, distributions?: table<string, any>, user_attrs?: table<string, any>, system_attrs?: table<string, any>, intermediate_values?: table, constraints?: table<string, number> }
---@return optuna.FrozenTrial
function M_optuna.create_trial(options) end

--- Gives the running trial up: it becomes PRUNED.
---@param message? string string = ""
---@param options? { message?: string }
---@return any
function M_optuna.prune(message, options) end

--- error(optuna.TrialPruned()) gives the trial up, as optuna.prune().
---@class optuna.TrialPruned_class
---@overload fun(message?: string, options?: { message?: string }): optuna.TrialPruned
local M_optuna_TrialPruned = {}
M_optuna.TrialPruned = M_optuna_TrialPruned

---@type optuna.study
M_optuna.study = nil

---@type optuna.trial
M_optuna.trial = nil

---@type optuna.samplers
M_optuna.samplers = nil

---@type optuna.pruners
M_optuna.pruners = nil

---@type optuna.storages
M_optuna.storages = nil

---@type optuna.distributions
M_optuna.distributions = nil

---@type optuna.logging
M_optuna.logging = nil

---@type optuna.exceptions
M_optuna.exceptions = nil

---@type optuna.importance
M_optuna.importance = nil

---@class optuna.study
local M_optuna_study = {}

--- A new study.
---@param options? { storage?: string|Storage, sampler?: Sampler, pruner?: Pruner, study_name?: string, direction?: any, load_if_exists?: boolean, directions?: (string)[] }
---@return optuna.Study
function M_optuna_study.create_study(options) end

--- A study that exists.
---@param options? { study_name?: string, storage?: string|Storage, sampler?: Sampler, pruner?: Pruner }
---@return optuna.Study
function M_optuna_study.load_study(options) end

--- Removes a study with its trials.
---@param options? { study_name?: string, storage?: string|Storage }
function M_optuna_study.delete_study(options) end

--- Copies a study with attributes and trials.
---@param options? { from_study_name?: string, from_storage?: string|Storage, to_storage?: string|Storage, to_study_name?: string }
function M_optuna_study.copy_study(options) end

--- In the order of creation.
---@param storage string|Storage string or Storage, required
---@param options? { storage?: string|Storage }
---@return (string)[]
function M_optuna_study.get_all_study_names(storage, options) end

--- One StudySummary for each study.
---@param storage string|Storage string or Storage, required
---@param include_best_trial? boolean boolean = true
---@param options? { storage?: string|Storage, include_best_trial?: boolean }
---@return (optuna.StudySummary)[]
function M_optuna_study.get_all_study_summaries(storage, include_best_trial, options) end

--- A callback that ends optimize when the study, over all its workers, has enough trials.
---@class optuna.study.MaxTrialsCallback_class
---@overload fun(n_trials: integer, states?: (string)[], options?: { n_trials?: integer, states?: (string)[] }): optuna.MaxTrialsCallback
local M_optuna_study_MaxTrialsCallback = {}
M_optuna_study.MaxTrialsCallback = M_optuna_study_MaxTrialsCallback

---@type optuna.study.StudyDirection
M_optuna_study.StudyDirection = nil

---@class optuna.study.StudyDirection
local M_optuna_study_StudyDirection = {}

M_optuna_study_StudyDirection.MINIMIZE = "minimize"

M_optuna_study_StudyDirection.MAXIMIZE = "maximize"

---@class optuna.trial
local M_optuna_trial = {}

--- A record for study:add_trial: a result that was found elsewhere.
---@param options? { state?: "RUNNING"|"COMPLETE"|"PRUNED"|"FAIL"|"WAITING", value?: number, values?: (number)[], params?: table<string, any>, distributions?: table<string, any>, user_attrs?: table<string, any>, system_attrs?: table<string, any>, intermediate_values?: table, constraints?: table<string, number> }
---@return optuna.FrozenTrial
function M_optuna_trial.create_trial(options) end

--- Suggests given values, outside of any study.
---@class optuna.trial.FixedTrial_class
---@overload fun(params: table<string, any>, number?: integer, options?: { params?: table<string, any>, number?: integer }): optuna.FixedTrial
local M_optuna_trial_FixedTrial = {}
M_optuna_trial.FixedTrial = M_optuna_trial_FixedTrial

---@type optuna.trial.TrialState
M_optuna_trial.TrialState = nil

---@class optuna.trial.TrialState
local M_optuna_trial_TrialState = {}

M_optuna_trial_TrialState.RUNNING = "RUNNING"

M_optuna_trial_TrialState.COMPLETE = "COMPLETE"

M_optuna_trial_TrialState.PRUNED = "PRUNED"

M_optuna_trial_TrialState.FAIL = "FAIL"

M_optuna_trial_TrialState.WAITING = "WAITING"

---@class optuna.samplers
local M_optuna_samplers = {}

--- Not supported yet: use TPESampler, GPSampler, CmaEsSampler, NSGAIISampler, QMCSampler, RandomSampler, GridSampler, BruteForceSampler or PartialFixedSampler.
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_optuna_samplers.NSGAIIISampler(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Tree-structured Parzen estimators; the default.
---@class optuna.samplers.TPESampler_class
---@overload fun(options?: { consider_prior?: boolean, prior_weight?: number, consider_magic_clip?: boolean, consider_endpoints?: boolean, n_startup_trials?: integer, n_ei_candidates?: integer, gamma?: function, weights?: function, seed?: integer, multivariate?: boolean, group?: boolean, warn_independent_sampling?: boolean, constant_liar?: boolean, constraints_func?: function, tie_order?: "simd"|"scalar" }): optuna.TPESampler
local M_optuna_samplers_TPESampler = {}
M_optuna_samplers.TPESampler = M_optuna_samplers_TPESampler

--- Uniform draws.
---@class optuna.samplers.RandomSampler_class
---@overload fun(seed?: integer, options?: { seed?: integer }): optuna.RandomSampler
local M_optuna_samplers_RandomSampler = {}
M_optuna_samplers.RandomSampler = M_optuna_samplers_RandomSampler

--- Every combination of listed values, once.
---@class optuna.samplers.GridSampler_class
---@overload fun(search_space: table<string, (any)[]>, seed?: integer, options?: { search_space?: table<string, (any)[]>, seed?: integer }): optuna.GridSampler
local M_optuna_samplers_GridSampler = {}
M_optuna_samplers.GridSampler = M_optuna_samplers_GridSampler

--- Some parameters held, the others sampled.
---@class optuna.samplers.PartialFixedSampler_class
---@overload fun(fixed_params: table<string, any>, base_sampler: Sampler, options?: { fixed_params?: table<string, any>, base_sampler?: Sampler }): optuna.PartialFixedSampler
local M_optuna_samplers_PartialFixedSampler = {}
M_optuna_samplers.PartialFixedSampler = M_optuna_samplers_PartialFixedSampler

--- Every combination of a finite space, once.
---@class optuna.samplers.BruteForceSampler_class
---@overload fun(seed?: integer, avoid_premature_stop?: boolean, options?: { seed?: integer, avoid_premature_stop?: boolean }): optuna.BruteForceSampler
local M_optuna_samplers_BruteForceSampler = {}
M_optuna_samplers.BruteForceSampler = M_optuna_samplers_BruteForceSampler

--- Points of a low-discrepancy sequence.
---@class optuna.samplers.QMCSampler_class
---@overload fun(options?: { qmc_type?: "sobol"|"halton", scramble?: boolean, seed?: integer, independent_sampler?: Sampler, warn_asynchronous_seeding?: boolean, warn_independent_sampling?: boolean }): optuna.QMCSampler
local M_optuna_samplers_QMCSampler = {}
M_optuna_samplers.QMCSampler = M_optuna_samplers_QMCSampler

--- Covariance matrix adaptation, for numbers.
---@class optuna.samplers.CmaEsSampler_class
---@overload fun(options?: { x0?: table<string, any>, sigma0?: number, n_startup_trials?: integer, independent_sampler?: Sampler, warn_independent_sampling?: boolean, seed?: integer, consider_pruned_trials?: boolean, popsize?: integer, use_separable_cma?: boolean, with_margin?: boolean, lr_adapt?: boolean, source_trials?: (optuna.FrozenTrial)[] }): optuna.CmaEsSampler
local M_optuna_samplers_CmaEsSampler = {}
M_optuna_samplers.CmaEsSampler = M_optuna_samplers_CmaEsSampler

--- Gaussian processes, for few and expensive trials.
---@class optuna.samplers.GPSampler_class
---@overload fun(options?: { seed?: integer, independent_sampler?: Sampler, n_startup_trials?: integer, deterministic_objective?: boolean, constraints_func?: function, warn_independent_sampling?: boolean }): optuna.GPSampler
local M_optuna_samplers_GPSampler = {}
M_optuna_samplers.GPSampler = M_optuna_samplers_GPSampler

--- A genetic algorithm for several objectives.
---@class optuna.samplers.NSGAIISampler_class
---@overload fun(options?: { population_size?: integer, mutation?: optuna.Mutation, mutation_prob?: number, crossover?: optuna.Crossover, crossover_prob?: number, swapping_prob?: number, seed?: integer, constraints_func?: function }): optuna.NSGAIISampler
local M_optuna_samplers_NSGAIISampler = {}
M_optuna_samplers.NSGAIISampler = M_optuna_samplers_NSGAIISampler

---@type optuna.samplers.nsgaii
M_optuna_samplers.nsgaii = nil

---@class optuna.samplers.nsgaii
local M_optuna_samplers_nsgaii = {}

---@param swapping_prob? number number = 0.5
---@param options? { swapping_prob?: number }
---@return optuna.Crossover
function M_optuna_samplers_nsgaii.UniformCrossover(swapping_prob, options) end

---@param alpha? number number = 0.5
---@param options? { alpha?: number }
---@return optuna.Crossover
function M_optuna_samplers_nsgaii.BLXAlphaCrossover(alpha, options) end

---@param epsilon? number number = nil
---@param options? { epsilon?: number }
---@return optuna.Crossover
function M_optuna_samplers_nsgaii.SPXCrossover(epsilon, options) end

---@param eta? number number = nil. nil is 2; 20 with several objectives.
---@param uniform_crossover_prob? number number = 0.5
---@param use_child_gene_prob? number number = 0.5
---@param options? { eta?: number, uniform_crossover_prob?: number, use_child_gene_prob?: number }
---@return optuna.Crossover
function M_optuna_samplers_nsgaii.SBXCrossover(eta, uniform_crossover_prob, use_child_gene_prob, options) end

---@param eta? number number = nil. nil is 2; 20 with several objectives.
---@param uniform_crossover_prob? number number = 0.5
---@param use_child_gene_prob? number number = 0.5
---@param options? { eta?: number, uniform_crossover_prob?: number, use_child_gene_prob?: number }
---@return optuna.Crossover
function M_optuna_samplers_nsgaii.VSBXCrossover(eta, uniform_crossover_prob, use_child_gene_prob, options) end

---@param sigma_xi? number number = 0.5
---@param sigma_eta? number number = nil
---@param options? { sigma_xi?: number, sigma_eta?: number }
---@return optuna.Crossover
function M_optuna_samplers_nsgaii.UNDXCrossover(sigma_xi, sigma_eta, options) end

---@param eta? number number = 20.0
---@param options? { eta?: number }
---@return optuna.Mutation
function M_optuna_samplers_nsgaii.PolynomialMutation(eta, options) end

---@class optuna.pruners
local M_optuna_pruners = {}

--- Prunes what is worse than the median.
---@class optuna.pruners.MedianPruner_class
---@overload fun(n_startup_trials?: integer, n_warmup_steps?: integer, interval_steps?: integer, options?: { n_startup_trials?: integer, n_warmup_steps?: integer, interval_steps?: integer, n_min_trials?: integer }): optuna.MedianPruner
local M_optuna_pruners_MedianPruner = {}
M_optuna_pruners.MedianPruner = M_optuna_pruners_MedianPruner

--- Keeps the best percentile of trials.
---@class optuna.pruners.PercentilePruner_class
---@overload fun(percentile: number, n_startup_trials?: integer, n_warmup_steps?: integer, interval_steps?: integer, options?: { percentile?: number, n_startup_trials?: integer, n_warmup_steps?: integer, interval_steps?: integer, n_min_trials?: integer }): optuna.PercentilePruner
local M_optuna_pruners_PercentilePruner = {}
M_optuna_pruners.PercentilePruner = M_optuna_pruners_PercentilePruner

--- Lets a fraction of the trials pass each rung.
---@class optuna.pruners.SuccessiveHalvingPruner_class
---@overload fun(min_resource?: integer|string, reduction_factor?: integer, min_early_stopping_rate?: integer, bootstrap_count?: integer, options?: { min_resource?: integer|string, reduction_factor?: integer, min_early_stopping_rate?: integer, bootstrap_count?: integer }): optuna.SuccessiveHalvingPruner
local M_optuna_pruners_SuccessiveHalvingPruner = {}
M_optuna_pruners.SuccessiveHalvingPruner = M_optuna_pruners_SuccessiveHalvingPruner

--- Several successive halvings side by side.
---@class optuna.pruners.HyperbandPruner_class
---@overload fun(min_resource?: integer, max_resource?: integer|string, reduction_factor?: integer, bootstrap_count?: integer, options?: { min_resource?: integer, max_resource?: integer|string, reduction_factor?: integer, bootstrap_count?: integer }): optuna.HyperbandPruner
local M_optuna_pruners_HyperbandPruner = {}
M_optuna_pruners.HyperbandPruner = M_optuna_pruners_HyperbandPruner

--- Prunes nothing.
---@class optuna.pruners.NopPruner_class
---@overload fun(): optuna.NopPruner
local M_optuna_pruners_NopPruner = {}
M_optuna_pruners.NopPruner = M_optuna_pruners_NopPruner

--- Prunes by fixed bounds.
---@class optuna.pruners.ThresholdPruner_class
---@overload fun(lower?: number, upper?: number, n_warmup_steps?: integer, interval_steps?: integer, options?: { lower?: number, upper?: number, n_warmup_steps?: integer, interval_steps?: integer }): optuna.ThresholdPruner
local M_optuna_pruners_ThresholdPruner = {}
M_optuna_pruners.ThresholdPruner = M_optuna_pruners_ThresholdPruner

--- Waits before another pruner decides.
---@class optuna.pruners.PatientPruner_class
---@overload fun(wrapped_pruner?: Pruner, patience: integer, min_delta?: number, options?: { wrapped_pruner?: Pruner, patience?: integer, min_delta?: number }): optuna.PatientPruner
local M_optuna_pruners_PatientPruner = {}
M_optuna_pruners.PatientPruner = M_optuna_pruners_PatientPruner

--- A paired test against the best trial.
---@class optuna.pruners.WilcoxonPruner_class
---@overload fun(options?: { p_threshold?: number, n_startup_steps?: integer }): optuna.WilcoxonPruner
local M_optuna_pruners_WilcoxonPruner = {}
M_optuna_pruners.WilcoxonPruner = M_optuna_pruners_WilcoxonPruner

---@class optuna.storages
local M_optuna_storages = {}

--- Fails the trials of dead workers, as optimize does before each trial; for ask and tell.
---@param study optuna.Study Study, required
---@param options? { study?: optuna.Study }
function M_optuna_storages.fail_stale_trials(study, options) end

--- Not supported yet: use "postgresql://user:password@host/database".
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_optuna_storages.GrpcStorageProxy(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Not supported yet: use "postgresql://user:password@host/database".
---@param argument1? any any = nil
---@param argument2? any any = nil
---@param argument3? any any = nil
---@param argument4? any any = nil
---@param argument5? any any = nil
---@param argument6? any any = nil
---@param argument7? any any = nil
---@param argument8? any any = nil
---@return any
function M_optuna_storages.JournalRedisStorage(argument1, argument2, argument3, argument4, argument5, argument6, argument7, argument8) end

--- Studies that live as long as the script.
---@class optuna.storages.InMemoryStorage_class
---@overload fun(): optuna.InMemoryStorage
local M_optuna_storages_InMemoryStorage = {}
M_optuna_storages.InMemoryStorage = M_optuna_storages_InMemoryStorage

--- Queues a dead worker's trial again.
---@class optuna.storages.RetryHeartbeatStaleTrialCallback_class
---@overload fun(max_retry?: integer, inherit_intermediate_values?: boolean, options?: { max_retry?: integer, inherit_intermediate_values?: boolean }): optuna.RetryHeartbeatStaleTrialCallback
local M_optuna_storages_RetryHeartbeatStaleTrialCallback = {}
M_optuna_storages.RetryHeartbeatStaleTrialCallback = M_optuna_storages_RetryHeartbeatStaleTrialCallback

--- Number of the first of a row of retried trials; nil for a trial that is no retry.
---@param trial optuna.FrozenTrial FrozenTrial, required
---@param options? { trial?: optuna.FrozenTrial }
---@return integer|nil
function M_optuna_storages_RetryHeartbeatStaleTrialCallback.retried_trial_number(trial, options) end

--- Numbers of the trials that this one tries again, oldest first.
---@param trial optuna.FrozenTrial FrozenTrial, required
---@param options? { trial?: optuna.FrozenTrial }
---@return (integer)[]
function M_optuna_storages_RetryHeartbeatStaleTrialCallback.retry_history(trial, options) end

--- Queues a dead worker's trial again.
---@class optuna.storages.RetryFailedTrialCallback_class
---@overload fun(max_retry?: integer, inherit_intermediate_values?: boolean, options?: { max_retry?: integer, inherit_intermediate_values?: boolean }): optuna.RetryHeartbeatStaleTrialCallback
local M_optuna_storages_RetryFailedTrialCallback = {}
M_optuna_storages.RetryFailedTrialCallback = M_optuna_storages_RetryFailedTrialCallback

--- Number of the first of a row of retried trials; nil for a trial that is no retry.
---@param trial optuna.FrozenTrial FrozenTrial, required
---@param options? { trial?: optuna.FrozenTrial }
---@return integer|nil
function M_optuna_storages_RetryFailedTrialCallback.retried_trial_number(trial, options) end

--- Numbers of the trials that this one tries again, oldest first.
---@param trial optuna.FrozenTrial FrozenTrial, required
---@param options? { trial?: optuna.FrozenTrial }
---@return (integer)[]
function M_optuna_storages_RetryFailedTrialCallback.retry_history(trial, options) end

--- Studies in a database that Optuna shares.
---@class optuna.storages.RDBStorage_class
---@overload fun(url: string, engine_kwargs?: table, skip_compatibility_check?: boolean, options?: { url?: string, engine_kwargs?: table, skip_compatibility_check?: boolean, heartbeat_interval?: integer, grace_period?: integer, heartbeat_stale_trial_callback?: function, failed_trial_callback?: function, skip_table_creation?: boolean }): optuna.RDBStorage
local M_optuna_storages_RDBStorage = {}
M_optuna_storages.RDBStorage = M_optuna_storages_RDBStorage

--- Studies in a journal that Optuna shares.
---@class optuna.storages.JournalStorage_class
---@overload fun(log_storage: optuna.JournalFileBackend, options?: { log_storage?: optuna.JournalFileBackend }): optuna.JournalStorage
local M_optuna_storages_JournalStorage = {}
M_optuna_storages.JournalStorage = M_optuna_storages_JournalStorage

--- Keeps the writers of a journal apart.
---@class optuna.storages.JournalFileSymlinkLock_class
---@overload fun(filepath: string, grace_period?: integer, options?: { filepath?: string, grace_period?: integer }): optuna.JournalFileSymlinkLock
local M_optuna_storages_JournalFileSymlinkLock = {}
M_optuna_storages.JournalFileSymlinkLock = M_optuna_storages_JournalFileSymlinkLock

--- Keeps the writers of a journal apart.
---@class optuna.storages.JournalFileOpenLock_class
---@overload fun(filepath: string, grace_period?: integer, options?: { filepath?: string, grace_period?: integer }): optuna.JournalFileSymlinkLock
local M_optuna_storages_JournalFileOpenLock = {}
M_optuna_storages.JournalFileOpenLock = M_optuna_storages_JournalFileOpenLock

---@type optuna.storages.journal
M_optuna_storages.journal = nil

---@class optuna.storages.journal
local M_optuna_storages_journal = {}

--- Studies in a journal that Optuna shares.
---@class optuna.storages.journal.JournalStorage_class
---@overload fun(log_storage: optuna.JournalFileBackend, options?: { log_storage?: optuna.JournalFileBackend }): optuna.JournalStorage
local M_optuna_storages_journal_JournalStorage = {}
M_optuna_storages_journal.JournalStorage = M_optuna_storages_journal_JournalStorage

--- Keeps the writers of a journal apart.
---@class optuna.storages.journal.JournalFileSymlinkLock_class
---@overload fun(filepath: string, grace_period?: integer, options?: { filepath?: string, grace_period?: integer }): optuna.JournalFileSymlinkLock
local M_optuna_storages_journal_JournalFileSymlinkLock = {}
M_optuna_storages_journal.JournalFileSymlinkLock = M_optuna_storages_journal_JournalFileSymlinkLock

--- Keeps the writers of a journal apart.
---@class optuna.storages.journal.JournalFileOpenLock_class
---@overload fun(filepath: string, grace_period?: integer, options?: { filepath?: string, grace_period?: integer }): optuna.JournalFileSymlinkLock
local M_optuna_storages_journal_JournalFileOpenLock = {}
M_optuna_storages_journal.JournalFileOpenLock = M_optuna_storages_journal_JournalFileOpenLock

--- A file with one change a line.
---@class optuna.storages.journal.JournalFileBackend_class
---@overload fun(file_path: string, lock_obj?: any, options?: { file_path?: string, lock_obj?: any }): optuna.JournalFileBackend
local M_optuna_storages_journal_JournalFileBackend = {}
M_optuna_storages_journal.JournalFileBackend = M_optuna_storages_journal_JournalFileBackend

---@class optuna.distributions
local M_optuna_distributions = {}

---@param low number number, required
---@param high number number, required
---@param log? boolean boolean = false
---@param step? number number = nil
---@param options? { low?: number, high?: number, log?: boolean, step?: number }
---@return optuna.Distribution
function M_optuna_distributions.FloatDistribution(low, high, log, step, options) end

---@param low integer integer, required
---@param high integer integer, required
---@param log? boolean boolean = false
---@param step? integer integer = 1
---@param options? { low?: integer, high?: integer, log?: boolean, step?: integer }
---@return optuna.Distribution
function M_optuna_distributions.IntDistribution(low, high, log, step, options) end

---@param choices (any)[] sequence, required
---@param options? { choices?: (any)[] }
---@return optuna.Distribution
function M_optuna_distributions.CategoricalDistribution(choices, options) end

---@class optuna.logging
local M_optuna_logging = {}

M_optuna_logging.DEBUG = 10

M_optuna_logging.INFO = 20

M_optuna_logging.WARN = 30

M_optuna_logging.WARNING = 30

M_optuna_logging.ERROR = 40

M_optuna_logging.CRITICAL = 50

M_optuna_logging.FATAL = 50

--- Log lines below this level are dropped.
---@param verbosity integer integer, required
---@param options? { verbosity?: integer }
function M_optuna_logging.set_verbosity(verbosity, options) end

---@return integer
function M_optuna_logging.get_verbosity() end

--- No log lines at all.
function M_optuna_logging.disable_default_handler() end

function M_optuna_logging.enable_default_handler() end

---@class optuna.exceptions
local M_optuna_exceptions = {}

--- error(optuna.TrialPruned()) gives the trial up, as optuna.prune().
---@class optuna.exceptions.TrialPruned_class
---@overload fun(message?: string, options?: { message?: string }): optuna.TrialPruned
local M_optuna_exceptions_TrialPruned = {}
M_optuna_exceptions.TrialPruned = M_optuna_exceptions_TrialPruned

---@class optuna.importance
local M_optuna_importance = {}

--- How much each parameter matters: a table of numbers by name.
---@param study optuna.Study Study, required
---@param options? { study?: optuna.Study, evaluator?: optuna.ImportanceEvaluator, params?: (string)[], target?: function, normalize?: boolean }
---@return any
function M_optuna_importance.get_param_importances(study, options) end

--- Importance for getting among the best trials; the default.
---@param options? { target_quantile?: number, region_quantile?: number, evaluate_on_local?: boolean }
---@return optuna.ImportanceEvaluator
function M_optuna_importance.PedAnovaImportanceEvaluator(options) end

--- The share of the variance explained.
---@param options? { n_trees?: integer, max_depth?: integer, seed?: integer }
---@return optuna.ImportanceEvaluator
function M_optuna_importance.FanovaImportanceEvaluator(options) end

--- By the splits of a forest.
---@param options? { n_trees?: integer, max_depth?: integer, seed?: integer }
---@return optuna.ImportanceEvaluator
function M_optuna_importance.MeanDecreaseImpurityImportanceEvaluator(options) end

return M_optuna
