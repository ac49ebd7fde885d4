-- The rest of Optuna's surface: MaxTrialsCallback, another sampler on the way, objectives run again
-- on a record, older names, stale trials.
local optuna = require "optuna"
optuna.logging.set_verbosity(optuna.logging.ERROR)

-- A bound on the trials of the whole study.
local study = optuna.create_study{ sampler = optuna.samplers.RandomSampler(1) }
local function odd(trial)
  if trial.number % 2 == 0 then optuna.prune() end
  return trial.number
end
local max = optuna.study.MaxTrialsCallback(3)
assert(tostring(max) == "MaxTrialsCallback(n_trials=3)")
study:optimize(odd, { n_trials = 50, callbacks = { max } })
assert(#study.trials == 6 and #study:get_trials{ states = { "COMPLETE" } } == 3)
study:optimize(odd, { n_trials = 50, callbacks = {
  optuna.study.MaxTrialsCallback(8, { states = { "COMPLETE", optuna.trial.TrialState.PRUNED } }) } })
assert(#study.trials == 8)
local ok, problem = pcall(max, study, study.trials[1])
assert(not ok and tostring(problem):find("Study.stop", 1, true), problem)

-- The documented use of PartialFixedSampler: the study's own sampler, and another in its place.
assert(tostring(study.sampler) == "RandomSampler()" and tostring(study.pruner) == "MedianPruner()")
study.sampler = optuna.samplers.PartialFixedSampler({ x = 0.25 }, study.sampler)
study.pruner = optuna.pruners.NopPruner()
assert(tostring(study.sampler) == "PartialFixedSampler()" and tostring(study.pruner) == "NopPruner()")
study:optimize(function(trial)
  assert(trial:suggest_float("x", 0, 1) == 0.25)
  return 0
end, { n_trials = 2 })
ok, problem = pcall(function() study.sampler = study.pruner end)
assert(not ok and tostring(problem):find("sampler: expected Sampler, got NopPruner", 1, true), problem)
ok, problem = pcall(function() study.pruner = 3 end)
assert(not ok and tostring(problem):find("pruner: expected Pruner, got number", 1, true), problem)

-- An objective run again on the best trial.
local function objective(trial)
  local x = trial:suggest_float("x", -10, 10)
  local n = trial:suggest_int("n", 1, 8, { log = true })
  local c = trial:suggest_categorical("c", { "a", "b", true })
  trial:report(x, 0)
  if trial:should_prune() then optuna.prune() end
  trial:set_user_attr("seen", n)
  trial:set_constraint("free", -1)
  return x ^ 2 + n + #tostring(c)
end
study = optuna.create_study{ sampler = optuna.samplers.RandomSampler(2) }
study:optimize(objective, { n_trials = 4 })
local best = study.best_trial
assert(objective(best) == study.best_value)
best:set_user_attr("seen", "again")
assert(best.user_attrs.seen == "again" and study.best_trial.user_attrs.seen ~= "again")
ok, problem = pcall(function() best:suggest_float("y", 0, 1) end)
assert(not ok and tostring(problem):find("parameter 'y' is not found. Please set it at the construction of "
  .. "the FrozenTrial object.", 1, true), problem)
ok, problem = pcall(function() best:suggest_int("x", 0, 1) end)
assert(not ok and tostring(problem):find("different distribution kind", 1, true), problem)

-- The names of suggest_float before Optuna 3.
study:optimize(function(trial)
  local u = trial:suggest_uniform("u", 0, 1)
  local l = trial:suggest_loguniform("l", 1e-4, 1)
  local d = trial:suggest_discrete_uniform("d", 0, 1, 0.25)
  assert(trial.distributions.l.log and trial.distributions.d.step == 0.25 and d * 4 == math.floor(d * 4))
  return u + l
end, { n_trials = 2 })
assert(optuna.trial.FixedTrial{ u = 0.5 }:suggest_uniform("u", 0, 1) == 0.5)

-- Stale trials: one whose worker sent no heartbeat since is failed, and the callback hears of it.
local path = os.tmpname()
local retry = optuna.storages.RetryFailedTrialCallback{ max_retry = 1 }
local heard = {}
local storage = optuna.storages.RDBStorage{
  url = "sqlite:///" .. path, heartbeat_interval = 1, grace_period = 1,
  failed_trial_callback = function(s, trial)
    heard[#heard + 1] = s.study_name .. trial.number .. trial.state
    retry(s, trial)
  end }
study = optuna.create_study{ study_name = "q", storage = storage }
study:optimize(function(trial) return trial:suggest_float("x", 0, 1) end, { n_trials = 1 })
optuna.storages.fail_stale_trials(study)
assert(#heard == 0 and #study.trials == 1)
assert(optuna.storages.RetryFailedTrialCallback.retried_trial_number(study.trials[1]) == nil)
assert(#optuna.storages.RetryFailedTrialCallback.retry_history(study.trials[1]) == 0)
study:add_trial(optuna.create_trial{ state = "WAITING",
  system_attrs = { failed_trial = 3, retry_history = { 3, 5 } } })
local again = study.trials[2]
assert(optuna.storages.RetryHeartbeatStaleTrialCallback.retried_trial_number(again) == 3)
assert(table.concat(optuna.storages.RetryFailedTrialCallback.retry_history(again), " ") == "3 5")
ok, problem = pcall(optuna.storages.RDBStorage, { url = "sqlite://", failed_trial_callback = 3 })
assert(not ok and tostring(problem):find("failed_trial_callback: expected function, got number", 1, true), problem)
os.remove(path)
