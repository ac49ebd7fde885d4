-- Intervals are positive.
local optuna = require "optuna"

optuna.storages.RDBStorage{ url = "sqlite://", heartbeat_interval = 0 }
