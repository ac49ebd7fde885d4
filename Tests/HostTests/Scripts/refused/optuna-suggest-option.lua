-- An option of suggest_float, misspelt.
local optuna = require "optuna"

optuna.create_study{}:ask():suggest_float("x", 1, 2, { lg = true })
