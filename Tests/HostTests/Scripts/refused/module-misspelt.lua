-- There is no module of this name.
local st = require "sentence_transformer"
