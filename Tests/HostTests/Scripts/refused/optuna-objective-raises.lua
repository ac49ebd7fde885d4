-- An objective that raises names the line that raised.
local optuna = require "optuna"

optuna.create_study{}:optimize(function(trial)
  local x = trial:suggest_float("x", 0, 1)
  return x + nothing.there
end, { n_trials = 3 })
