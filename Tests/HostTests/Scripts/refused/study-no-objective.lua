-- A study without anything to call.
local optuna = require "optuna"

optuna.create_study{}:optimize(nil, { n_trials = 1 })
