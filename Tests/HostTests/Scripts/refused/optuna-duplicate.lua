-- A study of a name that is taken.
local optuna = require "optuna"

local storage = optuna.storages.InMemoryStorage()
optuna.create_study{ study_name = "q", storage = storage }
optuna.create_study{ study_name = "q", storage = storage }
