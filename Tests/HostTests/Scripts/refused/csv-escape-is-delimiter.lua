local file = assert(io.open("a.csv", "w"))
file:write("a,b\n1,2\n")
file:close()
require "datasets".load_dataset("csv", { data_files = "a.csv", sep = ";", escapechar = ";" })
