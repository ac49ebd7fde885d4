-- A sampler that is not there yet.
local optuna = require "optuna"

optuna.samplers.NSGAIIISampler{ seed = 1 }
