-- A folder that is not there is not made.
local optuna = require "optuna"

optuna.create_study{ storage = "sqlite:///no/such/folder/study.db" }
