-- Two slashes name a host, which a file does not have.
local optuna = require "optuna"

optuna.create_study{ storage = "sqlite://study.db" }
