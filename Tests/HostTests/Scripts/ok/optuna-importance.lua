-- optuna.importance with each evaluator.
local optuna = require "optuna"
local importance = optuna.importance
optuna.logging.set_verbosity(optuna.logging.ERROR)

local study = optuna.create_study{ sampler = optuna.samplers.RandomSampler{ seed = 1 } }
study:optimize(function(trial)
  local x, y = trial:suggest_float("x", 0, 1), trial:suggest_float("y", 0, 1)
  trial:suggest_categorical("c", { "a", "b" })
  return 10 * x + y / 100
end, { n_trials = 60 })

for _, evaluator in ipairs{
  importance.PedAnovaImportanceEvaluator{}, importance.FanovaImportanceEvaluator{ seed = 1 },
  importance.MeanDecreaseImpurityImportanceEvaluator{ seed = 1, n_trees = 20, max_depth = 8 },
} do
  local found = importance.get_param_importances(study, { evaluator = evaluator })
  assert(math.abs(found.x + found.y + found.c - 1) < 1e-9)
  assert(found.x > found.y and found.x > found.c, tostring(evaluator))
end
assert(importance.get_param_importances(study).x > 0.5)

local only = importance.get_param_importances(study, { params = { "y" }, normalize = false })
assert(only.x == nil and only.y >= 0)
local target = importance.get_param_importances(study, {
  evaluator = importance.FanovaImportanceEvaluator{ seed = 1 },
  target = function(trial) return trial.params.y end })
assert(target.y > 0.9)
