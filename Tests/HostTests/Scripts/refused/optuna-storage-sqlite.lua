-- A storage that is not there yet; the password stays out of the message.
local optuna = require "optuna"

optuna.create_study{ storage = "postgresql://lab:secret@db.example/q" }
