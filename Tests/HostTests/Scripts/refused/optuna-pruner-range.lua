-- A percentile beyond 100.
local optuna = require "optuna"

optuna.pruners.PercentilePruner(101)
