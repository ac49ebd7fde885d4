-- The end of a trial, told twice.
local optuna = require "optuna"

local study = optuna.create_study{}
local trial = study:ask()
study:tell(trial, 1)
study:tell(trial, 2)
