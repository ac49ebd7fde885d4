-- A direction of a study, misspelt.
local optuna = require "optuna"

optuna.create_study{ direction = "up" }
