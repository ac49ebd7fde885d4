-- The pruning signal outside of an objective.
local optuna = require "optuna"

optuna.prune("too early")
