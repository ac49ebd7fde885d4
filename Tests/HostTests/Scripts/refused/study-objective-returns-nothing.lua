-- An objective that forgets its return.
local optuna = require "optuna"

optuna.create_study{}:optimize(function(trial)
  trial:suggest_float("x", 0, 1)
end, { n_trials = 1 })
