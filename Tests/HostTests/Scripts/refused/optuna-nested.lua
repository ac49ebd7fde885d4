-- A study that optimizes inside its own objective.
local optuna = require "optuna"

local study = optuna.create_study{}
study:optimize(function(trial)
  study:optimize(function() return 1 end, { n_trials = 1 })
end, { n_trials = 1 })
