-- A function that is not there yet.
local optuna = require "optuna"

optuna.importance.get_param_importances(optuna.create_study{})
