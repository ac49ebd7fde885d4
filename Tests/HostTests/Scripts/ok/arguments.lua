-- The script's own name is arg[0]; there are no arguments.
assert(arg[0] == "arguments.lua", arg[0])
assert(#arg == 0)
