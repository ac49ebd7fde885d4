-- A sampler, misspelt.
local optuna = require "optuna"

optuna.samplers.TPSampler{ seed = 1 }
