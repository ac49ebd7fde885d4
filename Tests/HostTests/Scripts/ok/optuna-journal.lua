-- Studies in a journal file, with either lock.
local optuna = require "optuna"
optuna.logging.set_verbosity(optuna.logging.ERROR)

local path = os.tmpname()
local journal = optuna.storages.journal
local function open(lock)
  return optuna.storages.JournalStorage(journal.JournalFileBackend(path, lock))
end
local storage = open(journal.JournalFileOpenLock(path, { grace_period = 10 }))
local study = optuna.create_study{ study_name = "j", storage = storage }
local function objective(trial) return trial:suggest_float("x", 0, 1) end
study:optimize(objective, { n_trials = 3 })
study:set_user_attr("note", { "a", 1 })

local again = optuna.load_study{ storage = open() }
again:optimize(objective, { n_trials = 2 })
assert(#study.trials == 5 and #again.trials == 5 and again.user_attrs.note[2] == 1)
assert(study.best_value == again.best_value)
assert(not pcall(optuna.create_study, { study_name = "j", storage = open() }))
optuna.delete_study{ study_name = "j", storage = storage }
assert(#optuna.get_all_study_names(open()) == 0)
os.remove(path)
