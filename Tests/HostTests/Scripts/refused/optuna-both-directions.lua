-- One direction and several.
local optuna = require "optuna"

optuna.create_study{ direction = "minimize", directions = { "minimize", "maximize" } }
