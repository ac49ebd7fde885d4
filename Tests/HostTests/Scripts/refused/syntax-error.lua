-- A chunk that Lua can't compile.
local x = = 1
