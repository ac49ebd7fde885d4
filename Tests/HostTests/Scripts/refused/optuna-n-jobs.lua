-- n_jobs counts trials.
local optuna = require "optuna"

optuna.create_study{}:optimize(function(trial) return 1 end, { n_trials = 2, n_jobs = 0 })
