---@meta datasets
-- Written by `st-host generate stubs`.

--- Rows of named, typed columns. A dataset never changes; methods make new ones.
---@class datasets.Dataset
---@field column_names (string)[] In order.
---@field features table Column name to type: "string", "int64", "list<float64>", or a ClassLabel.
---@field num_columns integer 
---@field num_rows integer 
---@field shape (integer)[] 
---@field [string|integer] any
---@operator len: integer
local Dataset = {}

--- The rows of those numbers, in that order.
---@param indices (integer)[]|datasets.Column sequence of integer or Column, required. Row numbers, from 1.
---@param options? { indices?: (integer)[]|datasets.Column }
---@return datasets.Dataset
function Dataset:select(indices, options) end

--- The first n rows.
---@param n integer integer, required, at least 0
---@param options? { n?: integer }
---@return datasets.Dataset
function Dataset:take(n, options) end

--- All but the first n rows.
---@param n integer integer, required, at least 0
---@param options? { n?: integer }
---@return datasets.Dataset
function Dataset:skip(n, options) end

--- A DatasetDict with the splits train and test.
---@param test_size? number number = nil. A share (0.1) or a number of rows (500).
---@param train_size? number number = nil. The rest of test_size when not given.
---@param shuffle? boolean boolean = true
---@param seed? integer integer = nil, at least 0. The same seed gives the rows that Python gives.
---@param options? { test_size?: number, train_size?: number, shuffle?: boolean, seed?: integer }
---@return datasets.DatasetDict
function Dataset:train_test_split(test_size, train_size, shuffle, seed, options) end

--- With one more column at the end.
---@param name string string, required
---@param column (any)[]|datasets.Column sequence or Column, required
---@param options? { name?: string, column?: (any)[]|datasets.Column }
---@return datasets.Dataset
function Dataset:add_column(name, column, options) end

--- The different values of a column.
---@param column string string, required
---@param options? { column?: string }
---@return (any)[]
function Dataset:unique(column, options) end

--- The rows in random order.
---@param seed? integer integer = nil, at least 0. The same seed gives the rows that Python gives.
---@param options? { seed?: integer }
---@return datasets.Dataset
function Dataset:shuffle(seed, options) end

--- The rows in the order of one or more columns.
---@param column_names string|(string)[] string or sequence of string, required. The first counts most.
---@param reverse? boolean|(boolean)[] boolean or sequence of boolean = false. Descending, for all columns or each.
---@param null_placement? "at_end"|"at_start" "at_end" | "at_start" = "at_end"
---@param options? { column_names?: string|(string)[], reverse?: boolean|(boolean)[], null_placement?: "at_end"|"at_start" }
---@return datasets.Dataset
function Dataset:sort(column_names, reverse, null_placement, options) end

--- The same columns, one with another name.
---@param original_column_name string string, required
---@param new_column_name string string, required
---@param options? { original_column_name?: string, new_column_name?: string }
---@return datasets.Dataset
function Dataset:rename_column(original_column_name, new_column_name, options) end

--- The same columns with other names.
---@param column_mapping table<string, string> table of string by name, required. Old name to new name.
---@param options? { column_mapping?: table<string, string> }
---@return datasets.Dataset
function Dataset:rename_columns(column_mapping, options) end

--- Without these columns.
---@param column_names string|(string)[] string or sequence of string, required
---@param options? { column_names?: string|(string)[] }
---@return datasets.Dataset
function Dataset:remove_columns(column_names, options) end

--- Only these columns, in this order.
---@param column_names string|(string)[] string or sequence of string, required
---@param options? { column_names?: string|(string)[] }
---@return datasets.Dataset
function Dataset:select_columns(column_names, options) end

--- With the column's values as numbers of classes: features[column] has the names.
---@param column string string, required
---@param include_nulls? boolean boolean = false. Whether nil is a class, called None.
---@param options? { column?: string, include_nulls?: boolean }
---@return datasets.Dataset
function Dataset:class_encode_column(column, include_nulls, options) end

--- Every row with the fields that the function returns; nil leaves it as it is. With batched the function gets a table of columns and returns one, whose columns may be longer or shorter.
---@param function_ function function, required. Gets a row, returns the fields to set.
---@param with_indices? boolean boolean = false. Call the function with the row's number, too.
---@param input_columns? string|(string)[] string or sequence of string = nil. Call the function with the values of these columns instead of the row.
---@param batched? boolean boolean = false. Call the function with batches of rows, as columns.
---@param batch_size? integer integer = 1000. Rows of a batch; 0 or less for all of them.
---@param drop_last_batch? boolean boolean = false. With batched: leave out the rows that do not fill a batch.
---@param remove_columns? string|(string)[] string or sequence of string = nil. Columns to leave out.
---@param options? { function_?: function, with_indices?: boolean, input_columns?: string|(string)[], batched?: boolean, batch_size?: integer, drop_last_batch?: boolean, remove_columns?: string|(string)[] }
---@return datasets.Dataset
function Dataset:map(function_, with_indices, input_columns, batched, batch_size, drop_last_batch, remove_columns, options) end

--- The rows for which the function returns true. With batched the function gets a table of columns and returns a sequence of booleans.
---@param function_ function function, required. Gets a row, returns whether to keep it.
---@param with_indices? boolean boolean = false. Call the function with the row's number, too.
---@param input_columns? string|(string)[] string or sequence of string = nil. Call the function with the values of these columns instead of the row.
---@param batched? boolean boolean = false. Call the function with batches of rows, as columns.
---@param batch_size? integer integer = 1000. Rows of a batch; 0 or less for all of them.
---@param options? { function_?: function, with_indices?: boolean, input_columns?: string|(string)[], batched?: boolean, batch_size?: integer }
---@return datasets.Dataset
function Dataset:filter(function_, with_indices, input_columns, batched, batch_size, options) end

--- Writes JSON Lines; returns the number of bytes.
---@param path_or_buf string string, required. The file to write.
---@param options? { path_or_buf?: string, force_ascii?: boolean }
---@return integer
function Dataset:to_json(path_or_buf, options) end

--- Writes CSV; returns the number of bytes.
---@param path_or_buf string string, required. The file to write.
---@param options? { path_or_buf?: string }
---@return integer
function Dataset:to_csv(path_or_buf, options) end

--- Writes Parquet with the dataset's features; returns the number of bytes.
---@param path_or_buf string string, required. The file to write.
---@param batch_size? integer integer = nil, at least 1. Rows of a row group; as many as make up to 100 MB.
---@param options? { path_or_buf?: string, batch_size?: integer, compression?: "none"|"snappy"|"gzip"|"zstd" }
---@return integer
function Dataset:to_parquet(path_or_buf, batch_size, options) end

--- The rows as a sequence of tables.
---@return (any)[]
function Dataset:to_list() end

--- The columns as a table of sequences.
---@return any
function Dataset:to_dict() end

--- Datasets by name: splits.train, pairs(splits). Methods that make new datasets are applied to each.
---@class datasets.DatasetDict
---@field column_names table Name to sequence of names.
---@field num_columns table Name to number of columns.
---@field num_rows table Name to number of rows.
---@field shape table Name to numbers of rows and columns.
---@field [string|integer] any
---@operator len: integer
local DatasetDict = {}

--- Name to the different values of a column there.
---@param column string string, required
---@param options? { column?: string }
---@return table<string, (any)[]>
function DatasetDict:unique(column, options) end

--- The names of the splits, in order.
---@return (string)[]
function DatasetDict:keys() end

--- The rows in random order.
---@param seed? integer integer = nil, at least 0. The same seed gives the rows that Python gives.
---@param options? { seed?: integer }
---@return datasets.DatasetDict
function DatasetDict:shuffle(seed, options) end

--- The rows in the order of one or more columns.
---@param column_names string|(string)[] string or sequence of string, required. The first counts most.
---@param reverse? boolean|(boolean)[] boolean or sequence of boolean = false. Descending, for all columns or each.
---@param null_placement? "at_end"|"at_start" "at_end" | "at_start" = "at_end"
---@param options? { column_names?: string|(string)[], reverse?: boolean|(boolean)[], null_placement?: "at_end"|"at_start" }
---@return datasets.DatasetDict
function DatasetDict:sort(column_names, reverse, null_placement, options) end

--- The same columns, one with another name.
---@param original_column_name string string, required
---@param new_column_name string string, required
---@param options? { original_column_name?: string, new_column_name?: string }
---@return datasets.DatasetDict
function DatasetDict:rename_column(original_column_name, new_column_name, options) end

--- The same columns with other names.
---@param column_mapping table<string, string> table of string by name, required. Old name to new name.
---@param options? { column_mapping?: table<string, string> }
---@return datasets.DatasetDict
function DatasetDict:rename_columns(column_mapping, options) end

--- Without these columns.
---@param column_names string|(string)[] string or sequence of string, required
---@param options? { column_names?: string|(string)[] }
---@return datasets.DatasetDict
function DatasetDict:remove_columns(column_names, options) end

--- Only these columns, in this order.
---@param column_names string|(string)[] string or sequence of string, required
---@param options? { column_names?: string|(string)[] }
---@return datasets.DatasetDict
function DatasetDict:select_columns(column_names, options) end

--- With the column's values as numbers of classes: features[column] has the names.
---@param column string string, required
---@param include_nulls? boolean boolean = false. Whether nil is a class, called None.
---@param options? { column?: string, include_nulls?: boolean }
---@return datasets.DatasetDict
function DatasetDict:class_encode_column(column, include_nulls, options) end

--- Every row with the fields that the function returns; nil leaves it as it is. With batched the function gets a table of columns and returns one, whose columns may be longer or shorter.
---@param function_ function function, required. Gets a row, returns the fields to set.
---@param with_indices? boolean boolean = false. Call the function with the row's number, too.
---@param input_columns? string|(string)[] string or sequence of string = nil. Call the function with the values of these columns instead of the row.
---@param batched? boolean boolean = false. Call the function with batches of rows, as columns.
---@param batch_size? integer integer = 1000. Rows of a batch; 0 or less for all of them.
---@param drop_last_batch? boolean boolean = false. With batched: leave out the rows that do not fill a batch.
---@param remove_columns? string|(string)[] string or sequence of string = nil. Columns to leave out.
---@param options? { function_?: function, with_indices?: boolean, input_columns?: string|(string)[], batched?: boolean, batch_size?: integer, drop_last_batch?: boolean, remove_columns?: string|(string)[] }
---@return datasets.DatasetDict
function DatasetDict:map(function_, with_indices, input_columns, batched, batch_size, drop_last_batch, remove_columns, options) end

--- The rows for which the function returns true. With batched the function gets a table of columns and returns a sequence of booleans.
---@param function_ function function, required. Gets a row, returns whether to keep it.
---@param with_indices? boolean boolean = false. Call the function with the row's number, too.
---@param input_columns? string|(string)[] string or sequence of string = nil. Call the function with the values of these columns instead of the row.
---@param batched? boolean boolean = false. Call the function with batches of rows, as columns.
---@param batch_size? integer integer = 1000. Rows of a batch; 0 or less for all of them.
---@param options? { function_?: function, with_indices?: boolean, input_columns?: string|(string)[], batched?: boolean, batch_size?: integer }
---@return datasets.DatasetDict
function DatasetDict:filter(function_, with_indices, input_columns, batched, batch_size, options) end

--- Classes of a column: the rows hold their numbers, from 0 as in Python; -1 is no class.
---@class datasets.ClassLabel
---@field dtype string How the numbers are stored.
---@field names (string)[] The name of class 0 first.
---@field num_classes integer 
local ClassLabel = {}

--- The name of a class, or a sequence of names for a sequence of numbers.
---@param values integer|(integer)[]|datasets.Column integer or sequence of integer or Column, required. Class numbers, from 0.
---@param options? { values?: integer|(integer)[]|datasets.Column }
---@return any
function ClassLabel:int2str(values, options) end

--- The number of a class, or a sequence of numbers for a sequence of names.
---@param values string|(string)[]|datasets.Column string or sequence of string or Column, required. Class names.
---@param options? { values?: string|(string)[]|datasets.Column }
---@return any
function ClassLabel:str2int(values, options) end

--- A column of a dataset: column[1], #column, ipairs.
---@class datasets.Column
---@field [string|integer] any
---@operator len: integer
local Column = {}

--- Rows of named, typed columns: what a trainer learns from.
---@class datasets
local M_datasets = {}

--- A dataset, a DatasetDict without split, a sequence of datasets for several splits.
---@param path string string, required. A dataset of the hub, a folder, or json, csv, parquet, text.
---@param name? string string = nil. A configuration of the dataset.
---@param options? { path?: string, name?: string, data_files?: string|(string)[]|table<string, any>, data_dir?: string, split?: string|(string)[], revision?: string, token?: string|boolean, cache_dir?: string, streaming?: boolean, columns?: (string)[], field?: string, delimiter?: string, sep?: string, quotechar?: string, quoting?: integer, doublequote?: boolean, escapechar?: string, skipinitialspace?: boolean, comment?: string, skip_blank_lines?: boolean, skiprows?: integer, header?: integer|boolean, column_names?: (string)[], names?: (string)[], keep_default_na?: boolean, na_values?: string|(string)[], sample_by?: "line"|"paragraph"|"document", keep_linebreaks?: boolean }
---@return any
function M_datasets.load_dataset(path, name, options) end

--- The rows of all datasets, one after the other. A column that one lacks is nil there.
---@param dsets (datasets.Dataset)[] sequence of Dataset, required. The datasets, in order.
---@param options? { dsets?: (datasets.Dataset)[] }
---@return datasets.Dataset
function M_datasets.concatenate_datasets(dsets, options) end

--- The rows of several datasets mixed.
---@param datasets (datasets.Dataset)[] sequence of Dataset, required. The datasets, in order.
---@param probabilities? (number)[] sequence of number = nil. Of drawing from each dataset; without them they take turns.
---@param seed? integer integer = nil, at least 0. The same seed gives the rows that Python gives.
---@param options? { datasets?: (datasets.Dataset)[], probabilities?: (number)[], seed?: integer, stopping_strategy?: "first_exhausted"|"all_exhausted"|"all_exhausted_without_replacement" }
---@return datasets.Dataset
function M_datasets.interleave_datasets(datasets, probabilities, seed, options) end

--- Rows of named, typed columns. A dataset never changes; methods make new ones.
---@class datasets.Dataset_class
local M_datasets_Dataset = {}
M_datasets.Dataset = M_datasets_Dataset

--- A dataset of columns.
---@param mapping table<string, any> table, required. Column name to sequence.
---@param options? { mapping?: table<string, any>, column_names?: (string)[] }
---@return datasets.Dataset
function M_datasets_Dataset.from_dict(mapping, options) end

--- A dataset of rows; a field that a row lacks is nil there.
---@param mapping (table)[] sequence of table, required. One table per row.
---@param options? { mapping?: (table)[], column_names?: (string)[] }
---@return datasets.Dataset
function M_datasets_Dataset.from_list(mapping, options) end

--- Datasets by name: splits.train, pairs(splits). Methods that make new datasets are applied to each.
---@class datasets.DatasetDict_class
---@overload fun(datasets: table<string, datasets.Dataset>, options?: { datasets?: table<string, datasets.Dataset> }): datasets.DatasetDict
local M_datasets_DatasetDict = {}
M_datasets.DatasetDict = M_datasets_DatasetDict

return M_datasets
