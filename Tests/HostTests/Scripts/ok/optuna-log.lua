-- The log goes to standard error; standard output has what the script prints and nothing else.
local optuna = require "optuna"
local study = optuna.create_study{ study_name = "log", sampler = optuna.samplers.RandomSampler(1) }
study:optimize(function(trial) return trial:suggest_int("n", 3, 3) end, { n_trials = 1 })
print(study.best_trial)
print(study:ask())
