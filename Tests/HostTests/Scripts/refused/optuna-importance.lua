-- A parameter that no trial has.
local optuna = require "optuna"
optuna.logging.set_verbosity(optuna.logging.WARNING)
local study = optuna.create_study{ sampler = optuna.samplers.RandomSampler{ seed = 1 } }
study:optimize(function(trial) return trial:suggest_float("x", 0, 1) end, { n_trials = 3 })

optuna.importance.get_param_importances(study, { params = { "x", "z" } })
