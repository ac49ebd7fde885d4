-- An option of a sampler, misspelt.
local optuna = require "optuna"

optuna.samplers.TPESampler{ seed = 1, n_startup_trial = 5 }
