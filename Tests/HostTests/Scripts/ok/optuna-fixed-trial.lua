-- optuna.trial.FixedTrial: an objective with given values.
local optuna = require "optuna"
optuna.logging.set_verbosity(optuna.logging.ERROR)

local function objective(trial)
  local x = trial:suggest_float("x", -100, 100)
  local n = trial:suggest_int("n", 1, 8)
  local c = trial:suggest_categorical("c", { "a", "b" })
  trial:report(x, 1)
  assert(trial:should_prune() == false)
  trial:set_user_attr("note", { 1, "two" })
  trial:set_constraint("small", x - 1)
  return x ^ 2 + n + #c
end

local trial = optuna.trial.FixedTrial({ x = 3, n = 2, c = "b", unused = 1 }, 7)
assert(objective(trial) == 12)
assert(trial.number == 7 and trial.params.x == 3 and trial.params.unused == nil)
assert(trial.distributions.n.high == 8 and trial.user_attrs.note[2] == "two")
assert(trial.constraints.small == 2 and trial.datetime_start)
assert(tostring(trial) == "FixedTrial(number=7, params={'x': 3, 'n': 2, 'c': 'b'})", tostring(trial))
assert(optuna.trial.FixedTrial({}).number == 0)

local ok, problem = pcall(objective, optuna.trial.FixedTrial{ x = 1 })
assert(not ok and tostring(problem):find("The value of the parameter 'n' is not found", 1, true))
ok, problem = pcall(objective, optuna.trial.FixedTrial{ x = 1, n = 1, c = "z" })
assert(not ok and tostring(problem):find("'z'", 1, true))
-- Out of range is a warning.
assert(objective(optuna.trial.FixedTrial{ x = 200, n = 1, c = "a" }) == 40002)

-- The names of arguments, all in one table; a lone parameter of that name is still a parameter.
assert(optuna.trial.FixedTrial{ params = { x = 1, n = 1, c = "a" }, number = 4 }.number == 4)
assert(optuna.trial.FixedTrial{ params = 2 }:suggest_float("params", 0, 5) == 2)
local sampler = optuna.samplers.GridSampler{ search_space = { x = { 1, 2 } }, seed = 3 }
local study = optuna.create_study{ sampler = optuna.samplers.PartialFixedSampler{
  fixed_params = { y = 1 }, base_sampler = sampler } }
study:optimize(function(t) return t:suggest_int("x", 1, 2) + t:suggest_int("y", 0, 3) end, 2)
assert(study.best_value == 2 and study.best_params.y == 1)
