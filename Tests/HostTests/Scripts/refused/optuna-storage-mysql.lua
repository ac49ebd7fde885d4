-- A database that is not available; the password stays out of the message.
local optuna = require "optuna"

optuna.create_study{ storage = "mysql://lab:secret@db.example/q?password=secret" }
