-- A fraction where an integer belongs.
local optuna = require "optuna"

optuna.create_study{}:ask():suggest_int("n", 1, 2.5)
