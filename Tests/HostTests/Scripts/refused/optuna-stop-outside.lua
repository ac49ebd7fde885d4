-- stop without anything that runs.
local optuna = require "optuna"

optuna.create_study{}:stop()
