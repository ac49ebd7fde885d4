-- Studies in an SQLite file: kept, found again, copied, listed, deleted.
local optuna = require "optuna"
optuna.logging.set_verbosity(optuna.logging.ERROR)

local path = os.tmpname()
local url = "sqlite:///" .. path
local function objective(trial)
  local x = trial:suggest_float("x", -10, 10)
  local c = trial:suggest_categorical("c", { "a", true, 3, 2.5 })
  trial:set_user_attr("c", c)
  return (x - 2) ^ 2
end

local study = optuna.create_study{ study_name = "q", storage = url, direction = "minimize" }
study:optimize(objective, { n_trials = 4 })
study:enqueue_trial{ x = 2 }
assert(not pcall(optuna.create_study, { study_name = "q", storage = url }))
study = optuna.create_study{ study_name = "q", storage = url, load_if_exists = true }
study:optimize(objective, { n_trials = 2 })
assert(#study.trials == 6 and study.best_value == 0 and study.best_trial.number == 4)
for i, trial in ipairs(study.trials) do
  assert(trial.number == i - 1 and trial.state == "COMPLETE" and trial.datetime_complete)
  assert(trial.user_attrs.c == trial.params.c)
end

local storage = optuna.storages.RDBStorage{
  url = url, engine_kwargs = { connect_args = { timeout = 5 } }, heartbeat_interval = 60,
  grace_period = 120, failed_trial_callback = optuna.storages.RetryFailedTrialCallback{ max_retry = 3 } }
optuna.copy_study{ from_study_name = "q", from_storage = storage, to_storage = storage, to_study_name = "r" }
assert(optuna.load_study{ study_name = "r", storage = url }.best_params.x == 2)
local names = optuna.get_all_study_names(url)
assert(#names == 2 and names[1] == "q" and names[2] == "r")
local summaries = optuna.get_all_study_summaries(storage)
assert(summaries[1].study_name == "q" and summaries[1].n_trials == 6)
assert(summaries[2].best_trial.value == 0 and summaries[1].direction == "minimize")
optuna.delete_study{ study_name = "q", storage = url }
assert(#optuna.get_all_study_names(storage) == 1)
assert(optuna.load_study{ storage = storage }.study_name == "r")
os.remove(path)
