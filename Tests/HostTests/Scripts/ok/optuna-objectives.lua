-- Several objectives, storages, samplers and pruners.
local optuna = require "optuna"
optuna.logging.disable_default_handler()

-- Several objectives: a sequence or several values.
local study = optuna.create_study{ directions = { "minimize", "maximize" },
  sampler = optuna.samplers.TPESampler{ seed = 1, n_startup_trials = 5 } }
study:optimize(function(trial)
  local x = trial:suggest_float("x", 0, 5)
  if trial.number % 2 == 0 then return x, x ^ 0.5 end
  return { x, x ^ 0.5 }
end, { n_trials = 20 })
assert(#study.best_trials == 20 and study.directions[2] == "maximize")
assert(#study.best_trials[1].values == 2)
assert(not pcall(function() return study.best_trial end))
study:set_metric_names{ "loss", "size" }
assert(study.metric_names[2] == "size")

-- A storage holds several studies.
local storage = optuna.storages.InMemoryStorage()
local a = optuna.create_study{ study_name = "a", storage = storage, direction = "maximize",
  sampler = optuna.samplers.RandomSampler{ seed = 3 } }
a:optimize(function(trial) return trial:suggest_float("x", 0, 1) end, { n_trials = 3 })
local again = optuna.create_study{ study_name = "a", storage = storage, load_if_exists = true }
assert(#again.trials == 3 and again.direction == "maximize")
assert(optuna.load_study{ storage = storage }.study_name == "a")
optuna.copy_study{ from_study_name = "a", from_storage = storage, to_storage = storage, to_study_name = "b" }
assert(optuna.load_study{ study_name = "b", storage = storage }.best_value == a.best_value)
local names = optuna.get_all_study_names(storage)
assert(#names == 2 and names[1] == "a" and names[2] == "b")
optuna.delete_study{ study_name = "a", storage = storage }
assert(#optuna.get_all_study_names(storage) == 1)

-- One seed, one study; every sampler and pruner.
local samplers = {
  function() return optuna.samplers.TPESampler{ seed = 5 } end,
  function() return optuna.samplers.TPESampler{ seed = 5, multivariate = false } end,
  function() return optuna.samplers.TPESampler{ seed = 5, group = true } end,
  function() return optuna.samplers.TPESampler{ seed = 5, n_startup_trials = 2, n_ei_candidates = 8,
    prior_weight = 0.5, consider_magic_clip = false, consider_endpoints = true,
    gamma = function(n) return n // 4 end,
    weights = function(n) local w = {}; for i = 1, n do w[i] = i end; return w end,
    constraints_func = function(trial) return { trial.params.x - 4 } end } end,
  function() return optuna.samplers.RandomSampler(5) end,
  function() return optuna.samplers.PartialFixedSampler({ n = 3 }, optuna.samplers.RandomSampler(5)) end,
}
for i, make in ipairs(samplers) do
  local runs = {}
  for run = 1, 2 do
    local s = optuna.create_study{ sampler = make() }
    s:optimize(function(trial)
      return trial:suggest_float("x", 0, 5) + trial:suggest_int("n", 1, 9)
    end, { n_trials = 15 })
    local values = {}
    for j, trial in ipairs(s.trials) do values[j] = string.format("%.17g", trial.value) end
    runs[run] = table.concat(values, " ")
  end
  assert(runs[1] == runs[2], i)
end
local grid = optuna.create_study{ sampler = optuna.samplers.GridSampler({ b = { 1, 2 }, a = { "x", "y" } }) }
grid:optimize(function(trial)
  return trial:suggest_int("b", 1, 2) + #trial:suggest_categorical("a", { "x", "y" })
end)
assert(#grid.trials == 4)

local P = optuna.pruners
for i, pruner in ipairs{ P.NopPruner(), P.MedianPruner(2, 1), P.PercentilePruner(25, { n_startup_trials = 2 }),
  P.ThresholdPruner{ upper = 3 }, P.PatientPruner(P.MedianPruner(), 2), P.PatientPruner(nil, 1),
  P.SuccessiveHalvingPruner(), P.SuccessiveHalvingPruner{ min_resource = 1, reduction_factor = 2 },
  P.HyperbandPruner{ min_resource = 1, max_resource = 9 } } do
  local s = optuna.create_study{ pruner = pruner, sampler = optuna.samplers.RandomSampler(7) }
  s:optimize(function(trial)
    local x = trial:suggest_float("x", 0, 5)
    for step = 1, 9 do
      trial:report(x + 3 / step, step)
      if trial:should_prune() then optuna.prune() end
    end
    return x
  end, { n_trials = 20 })
  assert((#s:get_trials{ states = { "PRUNED" } } > 0) == (i > 1 and i ~= 5 and i ~= 6), i)
end
assert(optuna.study.StudyDirection.MAXIMIZE == "maximize")
assert(tostring(optuna.distributions.FloatDistribution(0, 1)) == "FloatDistribution(high=1.0, log=False, low=0.0, step=None)")
assert(optuna.distributions.IntDistribution(1, 5) == optuna.distributions.IntDistribution{ low = 1, high = 5 })
