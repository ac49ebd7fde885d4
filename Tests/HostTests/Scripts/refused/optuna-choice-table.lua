-- A choice that no storage could keep.
local optuna = require "optuna"

optuna.create_study{}:ask():suggest_categorical("c", { "a", {} })
