-- A range without an end.
local optuna = require "optuna"

optuna.create_study{}:ask():suggest_float("x", 0, math.huge)
