-- A folder as a dataset: data/pairs.jsonl is all there is, so it is the split train.
local datasets = require "datasets"

local splits = datasets.load_dataset("data")
assert(#splits == 1 and #splits.train == 4)
assert(splits.train[2].anchor == "a red house")

-- Files written beside it get their split from their names, folders and a card.
os.execute("mkdir -p new/de new/en")
local function write(name, text)
  local file = assert(io.open(name, "w"))
  file:write(text)
  file:close()
end
write("new/en/train.csv", "a;b\n1;x\n2;y\n")
write("new/en/test.csv", "a;b\n3;z\n")
write("new/de/train.csv", "a;b\n4;ä\n")
write("new/README.md", [[
---
configs:
- config_name: en
  data_dir: en
  sep: ";"
- config_name: de
  data_files: de/*.csv
  sep: ";"
  default: true
---
# Numbers
]])
local en = datasets.load_dataset("new", "en")
assert(#en.train == 2 and #en.test == 1 and en.test[1].b == "z")
assert(datasets.load_dataset("new", { split = "train" })[1].b == "ä")
local both = datasets.load_dataset("new", "en", { split = { "train[:1]+test", "all" } })
assert(#both[1] == 2 and #both[2] == 3)
assert(#datasets.load_dataset("new", { data_dir = "en", split = "test", sep = ";" }) == 1)
assert(#datasets.load_dataset("new", { data_files = { one = "*/train.csv" }, split = "one" }) == 3)
assert(#datasets.load_dataset("csv", { data_dir = "new/en", split = "train", sep = ";" }) == 2)
