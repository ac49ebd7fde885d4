-- An objective that forgets its return: its trials fail, and nothing is best.
local optuna = require "optuna"

local study = optuna.create_study{}
study:optimize(function(trial)
  trial:suggest_float("x", 0, 1)
end, { n_trials = 1 })
print(study.best_value)
