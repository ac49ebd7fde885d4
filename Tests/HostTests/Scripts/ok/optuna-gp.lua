-- GPSampler: every argument, several objectives, constraints, running trials.
local optuna = require "optuna"
local GPSampler = optuna.samplers.GPSampler
optuna.logging.set_verbosity(optuna.logging.ERROR)

local function objective(trial)
  local x = trial:suggest_float("x", -5, 5)
  local rate = trial:suggest_float("rate", 1e-5, 1e-1, { log = true })
  local n = trial:suggest_int("n", 1, 40)
  local c = trial:suggest_categorical("c", { "a", "b", 3 })
  return (x - 1) ^ 2 + (math.log(rate, 10) + 3) ^ 2 + ((n - 20) / 10) ^ 2 + (c == "b" and 0 or 2)
end

-- The same seed, the same study; and better than chance.
local values = {}
for round = 1, 2 do
  local study = optuna.create_study{ sampler = GPSampler{ seed = 5, n_startup_trials = 8,
    deterministic_objective = true, warn_independent_sampling = false,
    independent_sampler = optuna.samplers.RandomSampler{ seed = 5 } } }
  study:optimize(objective, { n_trials = 25 })
  values[round] = study.best_value
end
assert(values[1] == values[2] and values[1] < 0.5, values[1])

-- A parameter that only some trials have is drawn independently.
local study = optuna.create_study{ sampler = GPSampler{ seed = 1, warn_independent_sampling = false } }
study:optimize(function(trial)
  local x = trial:suggest_float("x", 0, 1)
  return x + (x > 0.5 and trial:suggest_float("y", 0, 1) or 0)
end, { n_trials = 15 })
assert(#study.trials == 15)

-- Running trials spread out.
study = optuna.create_study{ sampler = GPSampler{ seed = 2 } }
study:optimize(function(trial) return (trial:suggest_float("x", 0, 1) - 0.3) ^ 2 end, { n_trials = 10 })
local seen = {}
for _ = 1, 4 do seen[#seen + 1] = study:ask():suggest_float("x", 0, 1) end
for i = 1, 4 do for j = 1, i - 1 do assert(seen[i] ~= seen[j]) end end

-- Constraints, by function and by trial; with several objectives and with running trials.
for _, by_function in ipairs{ true, false } do
  study = optuna.create_study{ directions = { "minimize", "maximize" }, sampler = GPSampler{ seed = 3,
    constraints_func = by_function and function(trial) return { trial.params.x - 0.5 } end or nil } }
  study:optimize(function(trial)
    local x, y = trial:suggest_float("x", 0, 1), trial:suggest_float("y", 0, 1)
    if not by_function then trial:set_constraint("x", x - 0.5) end
    return { x + y ^ 2, x * (1 - y) }
  end, { n_trials = 14 })
  for _ = 1, 2 do study:ask():suggest_float("x", 0, 1) end
  assert(#study.trials == 16)
end
study = optuna.create_study{ sampler = GPSampler{ seed = 4,
  constraints_func = function(trial) return { 0.4 - trial.params.x } end } }
study:optimize(function(trial) return trial:suggest_float("x", 0, 1) end, { n_trials = 20 })
assert(study.best_trial.params.x >= 0.4 and study.best_value < 0.45, study.best_value)
