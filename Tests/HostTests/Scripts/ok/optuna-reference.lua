-- A search in Lua gives Optuna's trials: the reference trace of TPESampler(seed=42).
local optuna = require "optuna"
optuna.logging.set_verbosity(optuna.logging.WARNING)

-- epochs, batch size, warmup ratio, learning rate of Python's trials
local expected = {
  { 2, 124, 0.21959818254342153, 1.575132049977973e-05 },
  { 1, 47, 0.017425083650459836, 5.39948440978744e-05 },
  { 4, 100, 0.006175348288740734, 8.706020878304853e-05 },
  { 5, 52, 0.05454749016213018, 2.3270677083837795e-06 },
  { 2, 82, 0.12958350559263473, 3.823475224675187e-06 },
  { 4, 45, 0.08764339456056544, 5.404103854647334e-06 },
  { 3, 108, 0.05990213464750792, 1.0677482709481361e-05 },
  { 3, 36, 0.1822634555704315, 2.1930485556643695e-06 },
  { 1, 124, 0.2896896099223678, 4.138040112561016e-05 },
  { 2, 41, 0.20526990795364705, 7.5911048052827045e-06 },
  { 5, 95, 0.24940233798596168, 5.718134855862585e-05 },
  { 4, 91, 0.034198405823290645, 1.537811126969828e-05 },
  { 5, 34, 0.003695806076405836, 1.7872931103755388e-05 },
  { 4, 111, 0.08785104642365335, 3.5544960404922715e-05 },
  { 4, 73, 0.038093539026140745, 1.5469847123799863e-05 },
  { 3, 48, 0.017539103390859522, 1.8729504527694003e-05 },
  { 4, 52, 0.09349880145237054, 2.342148281974842e-05 },
  { 2, 62, 0.00211954071503233, 1.2971834566918038e-05 },
  { 4, 39, 0.08700015016637593, 2.001257682778263e-05 },
  { 4, 64, 0.1533478673750402, 1.5359834212718628e-05 },
  { 4, 61, 0.1443183348132353, 3.142721263868269e-05 },
  { 4, 59, 0.09638146079172834, 6.332679187043089e-05 },
  { 5, 52, 0.1312578611322838, 2.086446244115617e-05 },
  { 4, 73, 0.19560835220335712, 1.886081398401306e-05 },
  { 5, 77, 0.09207609142817737, 7.968693890474639e-05 },
  { 3, 70, 0.1679662400849542, 7.207578466249491e-05 },
  { 3, 59, 0.1049431111815487, 2.066371723060052e-05 },
  { 3, 66, 0.11383636095830739, 1.3300668250990376e-05 },
  { 2, 69, 0.14606795729719033, 3.42055480588117e-05 },
  { 3, 43, 0.09794554828220726, 5.092785817190108e-05 },
}

local study = optuna.create_study{
  direction = "maximize", sampler = optuna.samplers.TPESampler{ seed = 42, tie_order = "simd" } }
study:optimize(function(trial)
  local e = trial:suggest_int("num_train_epochs", 1, 5)
  local b = trial:suggest_int("per_device_train_batch_size", 32, 128)
  local w = trial:suggest_float("warmup_ratio", 0.0, 0.3)
  local lr = trial:suggest_float("learning_rate", 1e-6, 1e-4, { log = true })
  return 1.0 - 0.30 * ((math.log(lr, 10) + 4.7) / 2.0) ^ 2 - 2.0 * (w - 0.1) ^ 2
    - ((e - 3) / 10.0) ^ 2 - ((b - 64) / 200.0) ^ 2
end, { n_trials = #expected })

local function close(a, b) return math.abs(a - b) <= 1e-9 * math.abs(b) end
for i, trial in ipairs(study.trials) do
  local p, want = trial.params, expected[i]
  assert(p.num_train_epochs == want[1], i)
  assert(p.per_device_train_batch_size == want[2], i)
  assert(close(p.warmup_ratio, want[3]), i)
  assert(close(p.learning_rate, want[4]), i)
end
