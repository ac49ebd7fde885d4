-- Files in every format that load_dataset reads, splits and slices, and files written again.
local datasets = require "datasets"

local function write(name, text)
  local file = assert(io.open(name, "wb"))
  file:write(text)
  file:close()
end

write("pairs.jsonl", [[
{"anchor": "a red bicycle", "positive": "a bicycle that is red"}
{"anchor": "rain tomorrow", "positive": "it will rain tomorrow"}
{"anchor": "a cup of tea", "positive": "tea in a cup"}
{"anchor": "the shop is shut", "positive": "the shop is closed"}
]])
write("scored.jsonl", [[
{"sentence1": "rain tomorrow", "sentence2": "it will rain tomorrow", "score": 0.9}
{"sentence1": "rain tomorrow", "sentence2": "sunshine tomorrow", "score": 0.3}
{"sentence1": "a cup of tea", "sentence2": "the shop is shut", "score": 0.0}
]])

local function load(text, format, options)
  write("file", text)
  options = options or {}
  options.data_files, options.split = "file", options.split or "train"
  return datasets.load_dataset(format, options)
end

local function equal(a, b)
  assert(#a == #b, #a .. " and " .. #b .. " elements")
  for i = 1, #b do assert(a[i] == b[i], tostring(a[i]) .. " ~= " .. tostring(b[i])) end
end

-- Columns keep the order of the file.
local pairs_ = datasets.load_dataset("json", { data_files = "pairs.jsonl", split = "train" })
equal(pairs_.column_names, { "anchor", "positive" })
assert(#pairs_ == 4 and pairs_[2].anchor == "rain tomorrow")
equal(datasets.load_dataset("json", { data_files = "scored.jsonl", split = "train" }).score,
  { 0.9, 0.3, 0.0 })

-- Splits.
local dict = datasets.load_dataset("json", {
  data_files = { test = "pairs.jsonl", train = { "pairs.jsonl", "pairs.jsonl" } } })
equal(dict:keys(), { "train", "test" })
assert(#dict.train == 8 and #dict.test == 4)
local function rows(split)
  return #datasets.load_dataset("json", {
    data_files = { train = "pairs.jsonl", test = "scored.jsonl" }, split = split })
end
assert(rows "train[:2]" == 2 and rows "train[-1:]" == 1 and rows "train[50%:]" == 2)
assert(rows "train[3:2]" == 0 and rows "test + train[:1]" == 4 and rows "all" == 7)
local list = datasets.load_dataset("json", {
  data_files = "pairs.jsonl", split = { "train[:1]", "train[1:]" } })
assert(#list == 2 and #list[1] == 1 and #list[2] == 3)
assert(#datasets.load_dataset("json", { data_files = "pa*.jsonl", split = "train" }) == 4)

-- JSON.
equal(load('[{"a": 1, "b": "x"}, {"a": 2.5, "c": [1, 2]}]', "json").a, { 1, 2.5 })
equal(load('["x", "y"]', "json").text, { "x", "y" })
equal(load('{"version": 1, "data": [{"a": "x"}, {"a": "y"}]}', "json", { field = "data" }).a,
  { "x", "y" })
equal(load('{"rows": {"a": [1, 2],\n "b": ["x", "y"]}}', "json", { field = "rows" }).b, { "x", "y" })
equal(load('\xEF\xBB\xBF{"a": "\\u00e9\\ud83d\\ude00"}\r\n\r\n{"a": "z"}', "json").a, { "é😀", "z" })

-- CSV.
local csv = load([[
anchor,positive
a red bicycle,a bicycle that is red
"rain, tomorrow","it will rain ""tomorrow"""
]], "csv")
assert(csv[2].anchor == "rain, tomorrow" and csv[2].positive == 'it will rain "tomorrow"')
local t = load('n,f,b,s,e\r\n1,1.5,True,"a\nb",\r\n-2, 2 ,false,x,\r\n\r\n', "csv")
assert(t.features.n == "int64" and t.features.f == "float64" and t.features.b == "bool"
  and t.features.s == "string" and t.features.e == "float64")
assert(#t == 2 and t[1].s == "a\nb" and t[2].f == 2 and t[2].b == false and t[1].e == nil)
local tsv = load("1\tNA\n\tx\n", "csv", { delimiter = "\t", column_names = { "a", "b" } })
assert(tsv[1].a == 1 and tsv[1].b == nil and tsv[2].a == nil and tsv[2].b == "x")
assert(load("a\nNA\n", "csv", { keep_default_na = false })[1].a == "NA")
equal(load("a,a,\n1,2,3\n", "csv").column_names, { "a", "a.1", "Unnamed: 2" })
assert(load("id\n12345678901234567890\n", "csv")[1].id == "12345678901234567890")

equal(load('a,b\nx\\,y,1\n"q\\"z",2\n', "csv", { escapechar = "\\" }).a, { "x,y", 'q"z' })
equal(load('a,b\n"x,1\n', "csv", { quoting = 3 }).a, { '"x' })
equal(load('a,b\n"x""y",1\n', "csv", { doublequote = false }).a, { 'x"y"' })
equal(load('# a\nskipped\na, b\n\n1, "x, y" # c\n', "csv",
  { skiprows = 2, comment = "#", skipinitialspace = true }).b, { "x, y " })
local bare = load("1,x\n2,-\n", "csv", { header = false, na_values = "-" })
assert(bare[1]["1"] == "x" and bare[2]["1"] == nil and bare[2]["0"] == 2)
equal(load("q,r\na,b\n1,2\n", "csv", { header = 1, names = { "x", "y" } }).y, { 2 })
assert(#load("a\n\nx\n", "csv", { skip_blank_lines = false }) == 2)

-- Text.
equal(load("one\r\ntwo\n\nthree", "text").text, { "one", "two", "", "three" })
equal(load("a\nb\n\n\nc\n", "text", { sample_by = "paragraph" }).text, { "a\nb", "\nc\n" })
equal(load("a\nb\n", "text", { sample_by = "document" }).text, { "a\nb\n" })
equal(load("a\nb", "text", { keep_linebreaks = true }).text, { "a\n", "b" })

-- What is written is read again.
local all = datasets.Dataset.from_list{
  { s = 'quote " comma , line\nend', n = 1, x = 0.1, b = true },
  { s = "ä/ö", n = 2, x = 1e300, b = false }, { s = "", n = 3, x = -5.0 } }
assert(all:to_json("out.jsonl") > 0)
local back = datasets.load_dataset("json", { data_files = "out.jsonl", split = "train" })
for i, row in ipairs(all) do
  for key, value in pairs(row) do assert(back[i][key] == value, key) end
end
assert(all:to_json("raw.jsonl", { force_ascii = false }) < all:to_json("out.jsonl"))
all:to_csv("out.csv")
back = datasets.load_dataset("csv", { data_files = "out.csv", split = "train" })
assert(back[1].s == all[1].s and back[2].x == 1e300 and back[3].b == nil and back[3].s == nil)
