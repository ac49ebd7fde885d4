-- Construction, rows, columns and the methods of a dataset. Row orders are Python's
-- (datasets 5.2).
local datasets = require "datasets"

local function equal(a, b)
  assert(#a == #b, #a .. " and " .. #b .. " elements")
  for i = 1, #b do assert(a[i] == b[i], tostring(a[i]) .. " ~= " .. tostring(b[i])) end
end

local ds = datasets.Dataset.from_dict{
  score = { 1, 0.5, 0 }, sentence2 = { "x", "y", "z" }, sentence1 = { "a", "b", "c" } }
equal(ds.column_names, { "sentence1", "sentence2", "score" })
assert(ds.num_rows == 3 and #ds == 3 and ds.num_columns == 3)
equal(ds.shape, { 3, 3 })
assert(ds.features.score == "float64" and ds.features.sentence1 == "string")
assert(ds[1].sentence1 == "a" and ds[3].score == 0)
assert(ds.sentence2[2] == "y" and #ds.sentence2 == 3)
equal(ds[{ 3, 1 }].sentence1, { "c", "a" })
assert(tostring(ds) == [[
Dataset({
    features: ['sentence1', 'sentence2', 'score'],
    num_rows: 3
})]], tostring(ds))
assert(tostring(ds.sentence1) == 'Column({"a", "b", "c"})')

-- Loops.
local seen = {}
for i, row in ipairs(ds) do seen[i] = row.sentence1 end
equal(seen, { "a", "b", "c" })
seen = {}
for i, row in pairs(ds) do seen[i] = row.sentence2 end
equal(seen, { "x", "y", "z" })
seen = {}
for i, text in ipairs(ds.sentence1) do seen[i] = text end
equal(seen, { "a", "b", "c" })

-- The order of columns.
equal(datasets.Dataset.from_dict{ negative = { "n" }, positive = { "p" }, anchor = { "a" } }
  .column_names, { "anchor", "positive", "negative" })
equal(datasets.Dataset.from_dict({ b = { 1 }, a = { 2 } }, { column_names = { "b", "a" } })
  .column_names, { "b", "a" })
local many = {}
for i = 1, 11 do many["negative_" .. i] = { "n" } end
many.anchor, many.label, many.positive = { "a" }, { 1 }, { "p" }
local names = datasets.Dataset.from_dict(many).column_names
assert(names[1] == "anchor" and names[2] == "positive" and names[4] == "negative_2"
  and names[13] == "negative_11" and names[14] == "label")

-- Rows.
local rows = datasets.Dataset.from_list{
  { anchor = "a", label = 1 }, { anchor = "b" }, { label = 3, extra = { 1, 2 } } }
equal(rows.column_names, { "anchor", "extra", "label" })
assert(rows[2].label == nil and rows[3].anchor == nil and rows[3].extra[2] == 2)
assert(rows.features.extra == "list<int64>" and rows.features.label == "int64")

local numbers = {}
for i = 1, 20 do numbers[i] = i - 1 end
local n = datasets.Dataset.from_dict{ n = numbers }
equal(n:select{ 2, 2, 20 }.n, { 1, 1, 19 })
equal(n:take(2).n, { 0, 1 })
equal(n:skip(18).n, { 18, 19 })
equal(n:shuffle{ seed = 42 }.n, { 15, 9, 14, 7, 12, 10, 6, 19, 3, 0, 16, 5, 11, 18, 2, 4, 17, 1, 13, 8 })
equal(n:shuffle(42).n, n:shuffle{ seed = 42 }.n)
local parts = n:train_test_split{ test_size = 0.25, seed = 0 }
equal(parts.test.n, { 4, 19, 6, 2, 13 })
equal(parts.train.n, { 16, 3, 11, 10, 8, 0, 12, 7, 5, 18, 17, 14, 9, 1, 15 })
equal(n:train_test_split{ test_size = 3, train_size = 4, shuffle = false }.test.n, { 4, 5, 6 })
assert(tostring(parts):find("DatasetDict({\n    train: Dataset({\n        features: ['n'],", 1, true))
equal(parts:keys(), { "train", "test" })
assert(#parts == 2 and parts.num_rows.train == 15 and parts.column_names.test[1] == "n")
for name, part in pairs(parts) do assert(parts[name] == part) end

-- Functions.
local doubled = n:map(function(row) return { n = row.n * 2, text = "t" .. row.n } end)
equal(doubled.column_names, { "n", "text" })
assert(doubled[20].n == 38 and doubled[3].text == "t2")
assert(n:map(function(row, i) return { i = i } end, { with_indices = true })[7].i == 7)
assert(#n:map(function() return nil end) == 20)
equal(doubled:map(function(row) return { m = row.n } end, { remove_columns = { "n", "text" } })
  .column_names, { "m" })
equal(n:filter(function(row) return row.n % 7 == 0 end).n, { 0, 7, 14 })
equal(n:filter(function(row, i) return i > 18 end, { with_indices = true }).n, { 18, 19 })
assert(doubled:map(function(text, n) return { both = text .. n } end,
  { input_columns = { "text", "n" } })[3].both == "t24")

-- Types follow the values; a column of classes takes their names.
local scores = datasets.Dataset.from_list{ { score = "0.5" }, { score = "1" } }
  :map(function(row) return { score = tonumber(row.score) } end)
assert(scores.features.score == "float64" and scores[2].score == 1)
local named = datasets.Dataset.from_dict{ label = { "neg", "pos" } }:class_encode_column("label")
  :map(function() return { label = "pos" } end)
assert(named.features.label.names[2] == "pos" and named[1].label == 1)
local fits, no_class = pcall(named.map, named, function() return { label = 7 } end)
assert(not fits and tostring(no_class):find("7 is no class of column 'label'", 1, true))
equal(n:filter(function() return false end):map(function() return { m = 1 } end).column_names, { "n" })
equal(n:skip(18):remove_columns("n"):add_column("b", { 1, 2 }).b, { 1, 2 })

-- The same for batches of rows.
local sizes = {}
local tenfold = n:map(function(batch)
  sizes[#sizes + 1] = #batch.n
  for i, value in ipairs(batch.n) do batch.n[i] = value * 10 end
  return batch
end, { batched = true, batch_size = 8 })
equal(sizes, { 8, 8, 4 })
equal(tenfold.n, n:map(function(row) return { n = row.n * 10 } end).n)
assert(tenfold.features.n == n.features.n)
assert(n:map(function(batch, rows) return { last = rows } end,
  { batched = true, with_indices = true, batch_size = 0 })[20].last == 20)
assert(#n:map(function() return nil end, { batched = true, batch_size = 6, drop_last_batch = true }) == 18)
-- Columns of another length, when no other column stays.
local twice = n:map(function(batch)
  local made = {}
  for _, value in ipairs(batch.n) do made[#made + 1] = value; made[#made + 1] = -value end
  return { m = made }
end, { batched = true, remove_columns = "n" })
assert(#twice == 40 and twice[3].m == 1 and twice[4].m == -1)
equal(n:filter(function(batch)
  local keep = {}
  for i, value in ipairs(batch.n) do keep[i] = value % 7 == 0 end
  return keep
end, { batched = true, batch_size = 3 }).n, { 0, 7, 14 })
equal(doubled:filter(function(numbers, rows) return { rows[1] == 7 } end,
  { batched = true, batch_size = 1, with_indices = true, input_columns = "n" }).n, { 12 })
for words, change in pairs{
  ["for rows 1 to 20 column 'n' has 20 values and 'm' 1"] = function()
    n:map(function() return { m = { 1 } } end, { batched = true }) end,
  ["m in the result of the function for rows 1 to 20: expected sequence, got single value"] = function()
    n:map(function() return { m = 1 } end, { batched = true }) end,
  ["it returned 1 choices for 20 rows"] = function()
    n:filter(function() return { true } end, { batched = true }) end,
  ["result of the function for rows 1 to 20: expected sequence of 20 booleans, got boolean"] = function()
    n:filter(function() return true end, { batched = true }) end,
  ["there is no column 'zz'"] = function()
    n:map(function() end, { input_columns = "zz" }) end } do
  local good, why = pcall(change)
  assert(not good and tostring(why):find(words, 1, true), tostring(why))
end
local ok, message = pcall(n.map, n, function() error("stop here") end)
assert(not ok and tostring(message):find("stop here"))

-- Sorting, nil at the end.
local mixed = datasets.Dataset.from_list{
  { k = "b", v = 1 }, { k = "a", v = 2 }, { v = 3 }, { k = "b", v = 0 } }
equal(mixed:sort("k").v, { 2, 1, 0, 3 })
equal(mixed:sort("k", { reverse = true }).v, { 1, 0, 2, 3 })
equal(mixed:sort({ "k", "v" }, { reverse = { true, false }, null_placement = "at_start" }).v,
  { 3, 0, 1, 2 })

-- Columns.
equal(ds:rename_column("score", "label").column_names, { "sentence1", "sentence2", "label" })
equal(ds:rename_columns{ sentence1 = "sentence2", sentence2 = "sentence1" }.column_names,
  { "sentence2", "sentence1", "score" })
equal(ds:remove_columns("score").column_names, { "sentence1", "sentence2" })
equal(ds:select_columns{ "score", "sentence1" }.column_names, { "score", "sentence1" })
equal(mixed:unique("k"), { "b", "a", nil })
equal(n:shuffle(42):add_column("copy", n.n):take(2).copy, { 0, 1 })

-- Datasets put together.
local both = datasets.concatenate_datasets{ n:take(1), n:skip(19) }
equal(both.n, { 0, 19 })
local wide = datasets.concatenate_datasets{ n:take(1), datasets.Dataset.from_dict{ m = { "x" } } }
assert(wide[1].m == nil and wide[2].m == "x" and wide[2].n == nil)
local dict = datasets.DatasetDict{ test = n:take(1), train = n:skip(1) }
equal(dict:keys(), { "train", "test" })

-- Methods of a dict change each of its datasets.
local words = datasets.DatasetDict{
  train = datasets.Dataset.from_dict{ a = { 3, 1, 2 }, b = { "x", "y", "x" } },
  test = datasets.Dataset.from_dict{ a = { 5 }, b = { "z" } } }
assert(words.num_columns.train == 2 and words.shape.test[1] == 1)
equal(words:unique("b").train, { "x", "y" })
equal(words:sort("a").train.b, { "y", "x", "x" })
equal(words:sort("a", { reverse = true }).train.a, { 3, 2, 1 })
equal(words:shuffle{ seed = 3 }.train.a, words.train:shuffle{ seed = 3 }.a)
equal(words:map(function(row, i) return { c = row.a * i } end,
  { with_indices = true, remove_columns = "b" }).train.c, { 3, 2, 6 })
local kept = words:filter(function(row) return row.a > 2 end)
assert(kept.num_rows.train == 1 and kept.num_rows.test == 1)
equal(words:rename_column("a", "c"):select_columns("c").column_names.test, { "c" })
equal(words:rename_columns{ a = "b", b = "a" }.column_names.train, { "b", "a" })
equal(words:remove_columns{ "b" }.test.column_names, { "a" })
equal(words:class_encode_column("b").train.b, { 0, 1, 0 })
local ok_dict, why = pcall(words.remove_columns, words, "zz")
assert(not ok_dict and tostring(why):find("there is no column 'zz'", 1, true))

-- A column is taken wherever a sequence is.
equal(datasets.Dataset.from_dict{ a = ds.sentence1 }.a, { "a", "b", "c" })
equal(ds:select(datasets.Dataset.from_dict{ i = { 3, 1 } }.i).sentence1, { "c", "a" })
assert(not pcall(ds.select, ds, ds.sentence1))

-- Names are told apart by their bytes: é as one character and as two.
local one, two = "\u{e9}", "e\u{301}"
local accents = datasets.Dataset.from_dict{ [one] = { 1, 2 }, [two] = { 3, 4 } }
assert(accents.num_columns == 2 and accents[2][one] == 2 and accents[2][two] == 4)
assert(accents.features[one] == "int64" and accents.features[two] == "int64")
assert(accents:map(function(row) return { [two] = row[one] } end)[1][two] == 1)
equal(accents:remove_columns(two):rename_columns{ [one] = "a" }.column_names, { "a" })
assert(not pcall(accents.remove_columns, accents:remove_columns(two), two))
assert(datasets.Dataset.from_list{ { [one] = 1 }, { [two] = 2 } }.num_columns == 2)
local splits = datasets.DatasetDict{ [one] = accents, [two] = accents:take(1) }
assert(#splits == 2 and splits.num_rows[one] == 2 and splits.num_rows[two] == 1)

-- Out to Lua.
assert(n:to_list()[3].n == 2 and n:to_dict().n[3] == 2)
assert(not pcall(function() return ds[4.5] end))
assert(ds[4] == nil and not pcall(function() return ds[5] end))

-- Mixtures, as Python draws them.
local sources = {
  datasets.Dataset.from_dict{ n = { 0, 1, 2 } }, datasets.Dataset.from_dict{ n = { 10, 11, 12 } },
  datasets.Dataset.from_dict{ n = { 20, 21, 22 } } }
equal(datasets.interleave_datasets(sources, { probabilities = { 0.7, 0.2, 0.1 }, seed = 42 }).n,
  { 10, 0, 11, 1, 2 })
equal(datasets.interleave_datasets(sources).n, { 0, 10, 20, 1, 11, 21, 2, 12, 22 })
equal(datasets.interleave_datasets({ sources[1], sources[2]:take(1) },
  { stopping_strategy = "all_exhausted" }).n, { 0, 10, 1, 10, 2, 10 })

-- Classes.
local classes = datasets.Dataset.from_dict{ label = { "yes", "no", "yes" } }:class_encode_column("label")
equal(classes.label, { 1, 0, 1 })
local label = classes.features.label
assert(label.num_classes == 2 and label.dtype == "int64" and label.names[1] == "no")
assert(label:int2str(1) == "yes" and label:str2int("no") == 0)
equal(label:int2str{ 1, 0 }, { "yes", "no" })
equal(label:str2int{ "yes", "1" }, { 1, 1 })
equal(label:int2str(classes.label), { "yes", "no", "yes" })
equal(label:str2int(datasets.Dataset.from_dict{ a = { "no", "yes" } }.a), { 0, 1 })
assert(tostring(label) == "ClassLabel(names=['no', 'yes'])", tostring(label))
ok, message = pcall(label.int2str, label, 2)
assert(not ok and tostring(message):find("there is no class 2; the classes are 0 to 1: 'no', 'yes'", 1, true))

-- Parquet files keep them.
local path = os.tmpname()
assert(classes:to_parquet(path, { compression = "zstd", batch_size = 2 }) > 100)
local again = datasets.load_dataset("parquet", { data_files = path, split = "train" })
equal(again.label, { 1, 0, 1 })
assert(again.features.label.names[2] == "yes")
os.remove(path)
