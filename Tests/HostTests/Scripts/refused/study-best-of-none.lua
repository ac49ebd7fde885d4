-- The best of no trials.
local optuna = require "optuna"

print(optuna.create_study{}.best_value)
