-- One of several workers of a study: URL or journal file, name, number of trials, pause in seconds.
local optuna = require "optuna"
optuna.logging.set_verbosity(optuna.logging.ERROR)

local place, name, count, pause = ...
local storage = place
if place:match("^journal:") then
  local journal = optuna.storages.journal
  storage = journal.JournalStorage(journal.JournalFileBackend((place:gsub("^journal:", ""))))
elseif os.getenv("HEARTBEAT") then
  storage = optuna.storages.RDBStorage{ url = place, heartbeat_interval = 1, grace_period = 2,
    failed_trial_callback = optuna.storages.RetryFailedTrialCallback{ max_retry = 50 } }
end

local function wait(seconds)
  local stop = os.clock() + seconds
  while os.clock() < stop do end
end

local study = optuna.create_study{ study_name = name, storage = storage, load_if_exists = true,
  sampler = optuna.samplers.RandomSampler{} }
study:optimize(function(trial)
  local x = trial:suggest_float("x", 0, 1)
  local n = trial:suggest_int("n", 1, 10)
  trial:set_user_attr("worker", "st-host")
  wait(tonumber(pause or "0"))
  return x * n
end, { n_trials = tonumber(count) })
