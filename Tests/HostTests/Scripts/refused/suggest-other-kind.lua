-- One name, two kinds of value.
local optuna = require "optuna"

optuna.create_study{}:optimize(function(trial)
  return trial:suggest_float("x", 0, 1) + trial:suggest_int("x", 0, 5)
end, { n_trials = 1 })
