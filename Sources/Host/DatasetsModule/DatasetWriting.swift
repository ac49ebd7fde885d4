// The methods of Dataset that hand its rows on: to files and to Lua tables.

import LuaBridge
import OrderedJSON
import Parquet
import Training

func addWriting(to dataset: LuaClass<Dataset>) {
    let path = LuaParameter.required("path_or_buf", .string, "The file to write.")
    dataset
        .method(
            "to_json",
            [
                path,
                .keyword(
                    "force_ascii", .boolean, .boolean(true),
                    "\\uXXXX for every character that is not ASCII."),
            ], doc: "Writes JSON Lines; returns the number of bytes."
        ) { dataset, arguments in
            let path: String = try arguments.path("path_or_buf")
            return try dataset.writeJSONLines(
                to: path, forcesASCII: try arguments["force_ascii"])
        }
        .method("to_csv", [path], doc: "Writes CSV; returns the number of bytes.") {
            dataset, arguments in
            let path: String = try arguments.path("path_or_buf")
            return try dataset.writeCSV(to: path)
        }
        .method(
            "to_parquet",
            [
                path,
                .optional(
                    "batch_size", .integer, nil, range: .atLeast(1),
                    "Rows of a row group; as many as make up to 100 MB."),
                .keyword(
                    "compression",
                    .oneOf(ParquetWriter.Compression.allCases.map(\.rawValue)),
                    .computed("'snappy'")),
            ], doc: "Writes Parquet with the dataset's features; returns the number of bytes."
        ) { dataset, arguments in
            let compression: String? = try arguments["compression"]
            return try dataset.writeParquet(
                to: try arguments.path("path_or_buf"),
                compression: compression.flatMap(ParquetWriter.Compression.init) ?? .snappy,
                rowGroupRows: try arguments["batch_size"])
        }
        .method("to_list", [], doc: "The rows as a sequence of tables.") { dataset, _ in
            try (0..<dataset.numRows).map(dataset.row)
        }
        .method("to_dict", [], doc: "The columns as a table of sequences.") { dataset, _ in
            JSONObject(
                try dataset.columnNames.map { name in
                    (name, .array(Array(try dataset.requireColumn(name))))
                })
        }
}
