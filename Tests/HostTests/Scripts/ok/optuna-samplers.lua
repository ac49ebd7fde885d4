-- Every sampler and pruner by its Python name and arguments.
local optuna = require "optuna"
local samplers, pruners = optuna.samplers, optuna.pruners
local nsgaii = samplers.nsgaii
optuna.logging.set_verbosity(optuna.logging.ERROR)

local function objective(trial)
  local x = trial:suggest_float("x", -5, 5)
  local n = trial:suggest_int("n", 1, 9, { step = 2 })
  local c = trial:suggest_categorical("c", { "a", "b" })
  return (x - 1) ^ 2 + n + (c == "a" and 0 or 1)
end

for _, sampler in ipairs{
  samplers.TPESampler{ seed = 1 }, samplers.RandomSampler{ seed = 1 },
  samplers.QMCSampler{ seed = 1 }, samplers.QMCSampler{ qmc_type = "halton", scramble = true, seed = 1 },
  samplers.CmaEsSampler{ seed = 1, warn_independent_sampling = false },
  samplers.CmaEsSampler{ seed = 1, with_margin = true, popsize = 6, x0 = { x = 0.5, n = 3 }, sigma0 = 0.2 },
  samplers.CmaEsSampler{ seed = 1, use_separable_cma = true, n_startup_trials = 4 },
  samplers.CmaEsSampler{ seed = 1, lr_adapt = true, independent_sampler = samplers.RandomSampler{ seed = 2 } },
  samplers.NSGAIISampler{ seed = 1, population_size = 8 },
  samplers.NSGAIISampler{ seed = 1, population_size = 8, crossover = nsgaii.SBXCrossover{ eta = 3 },
    mutation = nsgaii.PolynomialMutation(), mutation_prob = 0.2, crossover_prob = 0.8 },
  samplers.PartialFixedSampler({ n = 3 }, samplers.TPESampler{ seed = 1 }),
} do
  local study = optuna.create_study{ sampler = sampler }
  study:optimize(objective, { n_trials = 30 })
  assert(#study.trials == 30 and study.best_value < 20, tostring(sampler))
end
for _, name in ipairs{ "Uniform", "BLXAlpha", "SPX", "SBX", "VSBX", "UNDX" } do
  assert(tostring(nsgaii[name .. "Crossover"]()) == name .. "Crossover")
end

-- A finite space, until it is exhausted.
local study = optuna.create_study{ sampler = samplers.BruteForceSampler{ seed = 3 } }
study:optimize(function(trial)
  if trial:suggest_categorical("kind", { "int", "none" }) == "none" then return 0 end
  return trial:suggest_int("i", 1, 4) + trial:suggest_float("f", 0.1, 0.3, { step = 0.1 })
end, { n_trials = 100 })
assert(#study.trials == 13)

-- Several objectives with constraints.
study = optuna.create_study{ directions = { "minimize", "maximize" },
  sampler = samplers.NSGAIISampler{ seed = 5, population_size = 10,
    constraints_func = function(trial) return { trial.params.x - 3 } end } }
study:optimize(function(trial)
  local x, y = trial:suggest_float("x", 0, 5), trial:suggest_float("y", 0, 5)
  return { x ^ 2 + y, x - y }
end, { n_trials = 60 })
for _, trial in ipairs(study.best_trials) do assert(trial.params.x <= 3) end

-- Reports of problem instances.
study = optuna.create_study{ sampler = samplers.RandomSampler{ seed = 1 },
  pruner = pruners.WilcoxonPruner{ p_threshold = 0.2, n_startup_steps = 3 } }
study:optimize(function(trial)
  local x, sum = trial:suggest_float("x", 0, 1), 0
  for step = 1, 10 do
    local value = x + (step * 37 % 11) / 100
    sum = sum + value
    trial:report(value, step)
    if trial:should_prune() then optuna.prune() end
  end
  return sum / 10
end, { n_trials = 20 })
assert(#study:get_trials{ states = { "PRUNED" } } > 0)
assert(#study:get_trials{ states = { "COMPLETE" } } > 0)
