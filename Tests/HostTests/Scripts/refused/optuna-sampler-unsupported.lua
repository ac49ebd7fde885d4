-- A sampler that is not there yet.
local optuna = require "optuna"

optuna.samplers.GPSampler{ seed = 1 }
