-- Studies: optimize, results, pruning, failures, queue, callbacks.
local optuna = require "optuna"
optuna.logging.set_verbosity(optuna.logging.ERROR)
assert(optuna.logging.get_verbosity() == optuna.logging.ERROR)

local function create(options)
  options = options or {}
  options.sampler = options.sampler or optuna.samplers.RandomSampler(1)
  return optuna.create_study(options)
end

-- Values and parameters of every kind.
local study = create{ study_name = "kinds" }
study:optimize(function(trial)
  local x = trial:suggest_float("x", -10, 10)
  local s = trial:suggest_float("s", 0, 1, { step = 0.25 })
  local n = trial:suggest_int("n", 1, 64, { log = true })
  local c = trial:suggest_categorical("c", { "a", nil, true, 3, 2.5 })
  assert(math.type(n) == "integer" and math.type(x) == "float")
  assert(c == "a" or c == nil or c == true or c == 3 or c == 2.5)
  assert(s * 4 == math.floor(s * 4))
  assert(trial.params.x == x and trial.params.n == n)
  trial:set_user_attr("note", { text = "hi", list = { 1, 2.5, "x" } })
  assert(trial.user_attrs.note.list[3] == "x")
  assert(trial.distributions.n.high == 64 and trial.distributions.n.log)
  assert(trial.state == "RUNNING" and trial.number >= 0)
  return (x - 2) ^ 2
end, { n_trials = 12 })
assert(#study.trials == 12)
assert(study.study_name == "kinds" and study.direction == "minimize")
assert(study.best_value == study.best_trial.value)
assert(study.best_params.x == study.best_trial.params.x)
for i, trial in ipairs(study.trials) do
  assert(trial.number == i - 1)
  assert(trial.state == optuna.trial.TrialState.COMPLETE)
  assert(trial.value >= study.best_value and trial.values[1] == trial.value)
  assert(trial.datetime_start:match("^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d%.%d%d%d$"))
  assert(trial.duration >= 0)
end
assert(tostring(study) == "Study(study_name='kinds', directions=['minimize'])")

-- The same name gives the same value.
create():optimize(function(trial)
  local x = trial:suggest_float("x", 0, 1)
  assert(trial:suggest_float("x", 0, 1) == x)
  return x
end, { n_trials = 1 })

-- Reports and pruning, both ways to give a trial up.
local pruned = create{ pruner = optuna.pruners.MedianPruner{ n_startup_trials = 2 } }
pruned:optimize(function(trial)
  trial:report(trial.number, 1)
  if trial:should_prune() then
    if trial.number == 3 then optuna.prune("enough") end
    error(optuna.TrialPruned())
  end
  return trial.number
end, { n_trials = 6 })
local states = {}
for i, trial in ipairs(pruned.trials) do states[i] = trial.state end
assert(table.concat(states, " ") == "COMPLETE COMPLETE PRUNED PRUNED PRUNED PRUNED",
  table.concat(states, " "))
assert(pruned.trials[3].value == 2 and pruned.trials[3].intermediate_values[1] == 2)
assert(pruned.trials[3].last_step == 1)
assert(#pruned:get_trials{ states = { "PRUNED" } } == 4)

-- What is no number makes the trial FAIL, and the study goes on.
local wrong = create()
wrong:optimize(function(trial)
  return ({ [0] = 1, 0 / 0, "text", { 1, 2 }, true, math.huge })[trial.number]
end, { n_trials = 7 })
states = {}
for i, trial in ipairs(wrong.trials) do states[i] = trial.state end
assert(table.concat(states, " ") == "COMPLETE FAIL FAIL FAIL COMPLETE COMPLETE FAIL",
  table.concat(states, " "))
assert(wrong.trials[7].fail_reason == "The value None could not be cast to float.")
assert(wrong.trials[4].fail_reason
  == "The number of the values 2 did not match the number of the objectives 1")

-- An error ends the study and comes out as it was; the trial keeps its reason.
local failing = create()
local ok, problem = pcall(function()
  failing:optimize(function(trial) error("boom") end, { n_trials = 3 })
end)
assert(not ok and tostring(problem) == "optuna-study.lua:83: boom", tostring(problem))
assert(#failing.trials == 1 and failing.trials[1].state == "FAIL")
assert(failing.trials[1].fail_reason == "optuna-study.lua:83: boom")
local object = { code = 7 }
ok, problem = pcall(failing.optimize, failing, function() error(object) end, { n_trials = 1 })
assert(not ok and problem == object)

-- catch goes on.
local caught = create()
local seen = {}
caught:optimize(function(trial)
  if trial.number % 2 == 0 then error("even") end
  return trial.number
end, { n_trials = 4, catch = true, callbacks = { function(s, trial)
  assert(s == caught)
  seen[#seen + 1] = trial.number .. trial.state
end } })
assert(table.concat(seen, " ") == "0FAIL 1COMPLETE 2FAIL 3COMPLETE", table.concat(seen, " "))

-- stop, from an objective and from a callback.
local stopped = create()
stopped:optimize(function(trial)
  if trial.number == 2 then stopped:stop() end
  return 0
end, { n_trials = 10 })
assert(#stopped.trials == 3)
stopped:optimize(function() return 0 end, { n_trials = 10, callbacks = { function(s) s:stop() end } })
assert(#stopped.trials == 4)
stopped:optimize(function() return 0 end, { n_trials = 10, timeout = 0 })
assert(#stopped.trials == 4)

-- A queue.
local queue = create()
queue:enqueue_trial({ x = 2, c = "b" }, { user_attrs = { why = "known" } })
queue:enqueue_trial{ x = 3 }
queue:enqueue_trial({ x = 3 }, { skip_if_exists = true })
assert(#queue.trials == 2 and queue.trials[1].state == "WAITING")
queue:optimize(function(trial)
  local x = trial:suggest_float("x", 0, 5)
  local c = trial:suggest_categorical("c", { "a", "b" })
  if trial.number == 0 then assert(x == 2 and c == "b" and trial.user_attrs.why == "known") end
  if trial.number == 1 then assert(x == 3) end
  return x
end, { n_trials = 3 })

-- Ask and tell.
local asked = create()
local trial = asked:ask()
local record = asked:tell(trial, trial:suggest_float("x", 0, 1))
assert(record.state == "COMPLETE" and record.value == trial.params.x)
trial = asked:ask{ y = optuna.distributions.IntDistribution(1, 3), z = optuna.distributions.CategoricalDistribution{ "p", "q" } }
assert(trial.params.y >= 1 and trial.params.y <= 3 and trial.params.z)
assert(asked:tell(trial.number, { state = "PRUNED" }).state == "PRUNED")
assert(asked:tell(trial, 1.5, { skip_if_finished = true }).state == "PRUNED")
assert(asked:tell(asked:ask(), "x").state == "FAIL")
assert(asked:tell(asked:ask(), nil, optuna.trial.TrialState.FAIL).state == "FAIL")

-- Results found elsewhere.
local added = create()
added:add_trial(optuna.create_trial{ value = 0.5, params = { x = 0.25 },
  distributions = { x = optuna.distributions.FloatDistribution(0, 1) },
  intermediate_values = { [0] = 1, [1] = 0.5 }, constraints = { c = -1 } })
added:add_trials{ optuna.trial.create_trial{ state = "FAIL" } }
assert(added.best_params.x == 0.25 and added.trials[1].intermediate_values[1] == 0.5)
assert(added.trials[2].state == "FAIL")

-- Constraints.
local constrained = create()
constrained:optimize(function(trial)
  trial:set_constraint("size", trial.number == 0 and 1 or -1)
  assert(trial.constraints.size)
  return trial.number
end, { n_trials = 3 })
assert(constrained.best_trial.number == 1)

-- Attributes.
study:set_user_attr("team", { "a", "b" })
assert(study.user_attrs.team[2] == "b")
