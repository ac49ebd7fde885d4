-- A study that does not exist.
local optuna = require "optuna"

optuna.load_study{ study_name = "q", storage = optuna.storages.InMemoryStorage() }
