-- Weights that are no numbers.
local optuna = require "optuna"

local sampler = optuna.samplers.TPESampler{ seed = 1, n_startup_trials = 1, weights = function(n) return "all" end }
optuna.create_study{ sampler = sampler }:optimize(function(trial)
  return trial:suggest_float("x", 0, 1)
end, { n_trials = 3 })
