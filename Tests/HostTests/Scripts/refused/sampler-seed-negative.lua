-- A seed below 0.
local optuna = require "optuna"

optuna.samplers.TPESampler{ seed = -1 }
