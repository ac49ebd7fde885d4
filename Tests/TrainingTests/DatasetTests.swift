// Datasets in memory and from files, against Python's datasets (scripts/golden/datasets_files.py).
import Foundation
import OrderedJSON
import TestSupport
import Testing
import Training

private func golden() throws -> JSONValue {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Golden/datasets.json")
    return try JSONValue.parse(utf8: Array(Data(contentsOf: file)))
}

private func integers(_ dataset: Dataset, _ name: String = "n") throws -> [JSONValue] {
    Array(try dataset.requireColumn(name))
}

struct DatasetTests {
    private func numbers(_ count: Int) throws -> Dataset {
        try Dataset(columns: [("n", (0..<count).map { JSONValue.int(Int64($0)) })])
    }

    @Test func `columns hold what was put in`() throws {
        let dataset = try Dataset(columns: [
            ("text", ["a", .null, "ü😀"]), ("int", [1, 2, .null]), ("float", [1, 2.5, .null]),
            ("flag", [true, .null, false]), ("list", [[1, 2], .null, [3]]),
            ("none", [.null, .null, .null]),
            ("mixed", ["a", 1, .null]),
        ])
        #expect(dataset.numRows == 3)
        #expect(
            dataset.features.map(\.type)
                == [.string, .int64, .float64, .bool, .list(.int64), .null, .json])
        let text = try dataset.requireColumn("text")
        #expect((0..<3).map(text.string(at:)) == ["a", nil, "ü😀"])
        #expect(text.double(at: 0) == nil)
        #expect(text.isNull(at: 1) && !text.isNull(at: 0))
        let float = try dataset.requireColumn("float")
        #expect((0..<3).map(float.double(at:)) == [1, 2.5, nil])
        #expect(float.value(at: 0) == .double(1))
        #expect(try dataset.requireColumn("int").int(at: 1) == 2)
        #expect(try dataset.requireColumn("flag").double(at: 0) == 1)
        #expect(try dataset.requireColumn("mixed").value(at: 1) == 1)
        #expect(try dataset.row(2)["list"] == [3])
        #expect(try dataset.row(1).keys == dataset.columnNames)
        #expect(try dataset.column("nothing") == nil)
        let error = #expect(throws: TrainingError.self) { try dataset.requireColumn("txt") }
        #expect(
            error?.description.hasPrefix("there is no column 'txt'; the columns are 'text', ")
                == true)
    }

    @Test func `a column widens when a later value needs it`() throws {
        let dataset = try Dataset(rows: [
            ["a": .null, "b": 1], ["a": 2], ["a": 2.5, "b": .null, "c": ["x": 1]],
            ["c": ["x": 2.5, "y": "z"]],
        ])
        #expect(dataset.columnNames == ["a", "b", "c"])
        #expect(try integers(dataset, "a") == [.null, 2.0, 2.5, .null])
        #expect(try integers(dataset, "b") == [1, .null, .null, .null])
        #expect(try dataset.row(2)["c"] == ["x": 1.0, "y": .null])
    }

    @Test func `columns of different length and equal names are refused`() {
        let length = #expect(throws: TrainingError.self) {
            try Dataset(columns: [("a", [1, 2]), ("b", [1])])
        }
        #expect(length?.description.contains("column 'b' has 1 rows, column 'a' has 2") == true)
        #expect(throws: TrainingError.self) { try Dataset(columns: [("a", [1]), ("a", [1])]) }
    }

    @Test func `shuffles are Python's`() throws {
        let rows = try #require(try golden()["rows"])
        for (seed, expected) in try #require(rows["shuffle"]?.objectValue) {
            let shuffled = try numbers(103).shuffled(seed: UInt64(seed) ?? 0)
            #expect(try JSONValue.array(integers(shuffled)) == expected, "seed \(seed)")
        }
        let twice = try numbers(103).shuffled(seed: 1).slice(0..<50).shuffled(seed: 2)
        #expect(try JSONValue.array(integers(twice)) == rows["shuffle_twice"])
    }

    @Test func `train and test parts are Python's`() throws {
        let cases = try #require(try golden()["rows"]?["train_test_split"]?.arrayValue)
        #expect(cases.count == 7)
        for entry in cases {
            let options = try #require(entry["options"])
            func size(_ name: String) -> Dataset.SplitSize? {
                switch options[name] {
                case .int(let rows)?: .rows(Int(rows))
                case .double(let share)?: .fraction(share)
                default: nil
                }
            }
            let parts = try numbers(103).trainTestSplit(
                testSize: size("test_size"), trainSize: size("train_size"),
                shuffle: options["shuffle"]?.boolValue ?? true,
                seed: options["seed"]?.intValue.map(UInt64.init))
            #expect(try JSONValue.array(integers(parts.train)) == entry["train"], "\(options)")
            #expect(try JSONValue.array(integers(parts.test)) == entry["test"], "\(options)")
        }
    }

    @Test func `impossible parts are refused`() throws {
        let dataset = try numbers(10)
        func fails(_ test: Dataset.SplitSize?, _ train: Dataset.SplitSize? = nil) {
            #expect(throws: TrainingError.self) {
                try dataset.trainTestSplit(testSize: test, trainSize: train)
            }
        }
        fails(.rows(10))
        fails(.rows(0))
        fails(.rows(-1))
        fails(.fraction(0))
        fails(.fraction(1))
        fails(.fraction(.nan))
        fails(.fraction(0.99))
        fails(.fraction(0.6), .fraction(0.6))
        fails(.rows(6), .rows(6))
    }

    @Test func `rows are selected, sliced and filtered without copying values`() throws {
        let dataset = try numbers(10)
        let selected = try dataset.select([9, 0, 9])
        #expect(try integers(selected) == [9, 0, 9])
        #expect(try integers(selected.slice(1..<99)) == [0, 9])
        #expect(selected.storages[0] === dataset.storages[0])
        #expect(try integers(dataset.filter { row, _ in (row["n"]?.intValue ?? 0) > 7 }) == [8, 9])
        for wrong in [-1, 10, Int.max] {
            #expect(throws: TrainingError.self) { try dataset.select([0, wrong]) }
        }
    }

    @Test func `sorting is stable and puts null and NaN last`() throws {
        let dataset = try Dataset(columns: [
            ("k", ["b", "a", .null, "b", "Z"]), ("x", [2, .double(.nan), 1, .null, -1.5]),
            ("i", [0, 1, 2, 3, 4]),
        ])
        func order(_ name: String, _ descending: Bool = false, _ nullsFirst: Bool = false) throws
            -> [JSONValue]
        {
            try integers(
                dataset.sorted(by: name, descending: descending, nullsFirst: nullsFirst), "i")
        }
        #expect(try order("k") == [4, 1, 0, 3, 2])
        #expect(try order("k", true) == [0, 3, 1, 4, 2])
        #expect(try order("k", false, true) == [2, 4, 1, 0, 3])
        #expect(try order("x") == [4, 2, 0, 1, 3])
        #expect(try order("x", true) == [0, 2, 4, 1, 3])
        #expect(try order("x", false, true) == [3, 1, 4, 2, 0])
        #expect(try order("x", true, true) == [3, 1, 0, 2, 4])
    }

    @Test func `columns are renamed, removed, selected and added`() throws {
        let dataset = try Dataset(columns: [("a", [1, 2]), ("b", ["x", "y"])])
        #expect(try dataset.renameColumns([("a", "b"), ("b", "a")]).columnNames == ["b", "a"])
        #expect(try dataset.removeColumns(["a"]).columnNames == ["b"])
        #expect(try dataset.selectColumns(["b", "a"]).row(0) == ["b": "x", "a": 1])
        #expect(throws: TrainingError.self) { try dataset.renameColumns([("a", "b")]) }
        #expect(throws: TrainingError.self) { try dataset.renameColumns([("z", "q")]) }
        #expect(throws: TrainingError.self) { try dataset.removeColumns(["z"]) }
        #expect(throws: TrainingError.self) { try dataset.selectColumns(["a", "a"]) }
        let shown = try dataset.select([1, 0])
        #expect(try integers(shown.addColumn("c", [7, 8]), "c") == [7, 8])
        #expect(try integers(dataset.select([1, 1]).addColumn("c", [7, 8]), "c") == [7, 8])
        #expect(throws: TrainingError.self) { try dataset.addColumn("c", [7]) }
        #expect(throws: TrainingError.self) { try dataset.addColumn("a", [7, 8]) }
        #expect(try dataset.removeColumns(["a", "b"]).numRows == 2)
    }

    @Test func `a dataset without columns keeps its rows and takes columns again`() throws {
        let bare = try numbers(10).select([9, 0, 9]).removeColumns(["n"])
        #expect(bare.numRows == 3)
        #expect(try integers(bare.addColumn("m", [7, 8, 9]), "m") == [7, 8, 9])
        #expect(try integers(bare.select([2, 2]).addColumn("m", [7, 8]), "m") == [7, 8])
        let skipped = try numbers(3).slice(1..<3).selectColumns([])
        #expect(try integers(skipped.addColumn("m", [1, 2]), "m") == [1, 2])
        #expect(try Dataset.concatenated([bare, skipped]).numRows == 5)
        let mixed = try Dataset.concatenated([bare, numbers(1)])
        #expect(try integers(mixed) == [.null, .null, .null, 0])
    }

    @Test func `datasets are put together`() throws {
        let dataset = try numbers(4)
        let halves = try Dataset.concatenated([dataset.slice(2..<4), dataset.slice(0..<1)])
        #expect(try integers(halves) == [2, 3, 0])
        #expect(halves.storages[0] === dataset.storages[0])
        let other = try Dataset(columns: [("m", ["x"]), ("n", [0.5])])
        let both = try Dataset.concatenated([dataset.slice(0..<1), other])
        #expect(both.columnNames == ["n", "m"])
        #expect(try integers(both) == [0.0, 0.5])
        #expect(try integers(both, "m") == [.null, "x"])
        let text = try Dataset(columns: [("n", ["text"])])
        let error = #expect(throws: TrainingError.self) {
            try Dataset.concatenated([dataset, text])
        }
        #expect(error?.description.contains("column 'n' has different types") == true)
        #expect(throws: TrainingError.self) { try Dataset.concatenated([]) }
    }

    @Test func `unique keeps the first of equal values, canonical twins apart`() throws {
        let dataset = try Dataset(columns: [("a", ["x", "\u{e9}", "x", "e\u{301}", .null])])
        #expect(try dataset.unique("a") == ["x", "\u{e9}", "e\u{301}", .null])
    }
}

struct DatasetReaderTests {
    /// Writes the text to a file of its own and loads it.
    private func load(_ format: DatasetFormat, _ text: String) throws -> Dataset {
        let work = try TestSupport.TemporaryFolder()
        defer { work.remove() }
        let file = work.url.appending(path: "file")
        try Data(text.utf8).write(to: file)
        return try loadDataset(format, dataFiles: [("train", [file.path])], split: "train")
    }

    private func message(_ format: DatasetFormat, _ text: String) -> String {
        let error = #expect(throws: TrainingError.self) { try load(format, text) }
        return error?.description ?? ""
    }

    private func check(_ entry: JSONValue, _ format: DatasetFormat) throws {
        let text = try #require(entry["text"]?.stringValue)
        let dataset = try load(format, text)
        let name: Comment = "\(text.debugDescription)"
        #expect(.array(dataset.columnNames.map { .string($0) }) == entry["columns"], name)
        let rows = try (0..<dataset.numRows).map { JSONValue.array(try dataset.row($0).values) }
        #expect(.array(rows) == entry["rows"], name)
        for (type, expected) in zip(
            dataset.features.map(\.type), try #require(entry["types"]?.arrayValue))
        {
            guard let expected = expected.stringValue else { continue }
            #expect("\(type)" == "Value('\(expected)')", name)
        }
    }

    @Test func `CSV files read as in Python`() throws {
        for entry in try #require(try golden()["csv"]?.arrayValue) {
            let csv = try csvOptions(try #require(entry["options"]?.objectValue))
            try check(entry, .csv(csv))
        }
    }

    private func csvOptions(_ options: JSONObject) throws -> CSVOptions {
        func byte(_ name: String) -> UInt8? { options[name]?.stringValue?.utf8.first }
        func texts(_ name: String) -> [String]? {
            options[name]?.stringValue.map { [$0] }
                ?? options[name]?.arrayValue?.compactMap(\.stringValue)
        }
        var csv = CSVOptions()
        csv.delimiter = byte("delimiter") ?? byte("sep") ?? csv.delimiter
        csv.quote = byte("quotechar") ?? csv.quote
        csv.quoting = options["quoting"]?.intValue.flatMap(CSVOptions.Quoting.init) ?? csv.quoting
        csv.doublesQuotes = options["doublequote"]?.boolValue ?? true
        csv.escape = byte("escapechar")
        csv.skipsInitialSpace = options["skipinitialspace"]?.boolValue ?? false
        csv.comment = byte("comment")
        csv.skipsBlankLines = options["skip_blank_lines"]?.boolValue ?? true
        csv.skippedLines = options["skiprows"]?.intValue ?? 0
        switch options["header"] {
        case .int(let record)?: csv.header = .record(Int(record))
        case .null?: csv.header = .none
        default: break
        }
        csv.columnNames = texts("column_names") ?? texts("names")
        csv.keepsDefaultNulls = options["keep_default_na"]?.boolValue ?? true
        csv.nulls = texts("na_values") ?? []
        return csv
    }

    @Test func `a quote within a skipped CSV line is a character`() throws {
        for line in ["The 5\" pipes, measured 2024", "x,\"y\nz\"", "x,\"y\"\"\nz\"", "\"x\"y\""] {
            var csv = CSVOptions()
            csv.skippedLines = 1
            let dataset = try load(.csv(csv), line + "\na,b\n1,2\n")
            #expect(try dataset.row(0) == ["a": 1, "b": 2], "\(line)")
        }
        var csv = CSVOptions()
        csv.skippedLines = .max
        #expect(message(.csv(csv), "a\n1\n").contains("the file is empty"))
    }

    @Test func `CSV nulls that are numbers go by their value, as in pandas`() throws {
        for (word, text, expected): (String, String, [JSONValue]) in [
            ("-999", "-999.0\n1.5", [.null, 1.5]), ("-999.00", "-999\n1", [.null, 1.0]),
            ("-999", "-9.99e2\n1", [.null, 1.0]), ("-999", "-999.0\nx", [.null, "x"]),
            ("0.5", "0.50\n1", [.null, 1.0]), ("0.5", "0.50\nx", ["0.50", "x"]),
            ("inf", "Infinity\n2.5", [.null, 2.5]), ("x", "1\n2", [1, 2]),
        ] {
            var csv = CSVOptions()
            csv.nulls = [word]
            let dataset = try load(.csv(csv), "a\n\(text)\n")
            #expect(try integers(dataset, "a") == expected, "\(word): \(text)")
        }
    }

    @Test func `CSV and JSON names that differ in Unicode form are two`() throws {
        let csv = try load(.csv(), "\u{e9},e\u{301}\n1,2\n")
        #expect(csv.columnNames.map(\.utf8.count) == [2, 3])
        let json = try load(
            .json(), "{\"\u{e9}\":1,\"e\u{301}\":2}\n{\"\u{e9}\":3,\"e\u{301}\":4}\n")
        #expect(try json.row(1).values == [3, 4])
        var options = CSVOptions()
        options.nulls = ["e\u{301}"]
        #expect(
            try integers(load(.csv(options), "a\n\u{e9}\ne\u{301}\n"), "a") == ["\u{e9}", .null])
    }

    @Test func `patterns find the files that Python finds`() throws {
        let work = try TestSupport.TemporaryFolder()
        defer { work.remove() }
        for name in [
            "1.jsonl", "2.jsonl", "sub/s.jsonl", "sub/deep/e.jsonl", "__pycache__/p.jsonl",
            ".hid/h.jsonl", ".h.jsonl", "__x.jsonl", "README.md", "config.json",
        ] {
            let file = work.url.appending(path: "d/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("{\"f\": \"\(name)\"}\n".utf8).write(to: file)
        }
        let direct = ["1.jsonl", "2.jsonl", "__x.jsonl"]
        let all = direct + ["sub/deep/e.jsonl", "sub/s.jsonl"]
        for (pattern, expected) in [
            ("d/**/*.jsonl", all), ("d/**", all), ("d/*", direct), ("**/s.jsonl", ["sub/s.jsonl"]),
            ("d/*.json*", direct), ("d/__pycache__/*", ["__pycache__/p.jsonl"]),
            ("*/*.jsonl", direct), ("d/.hid/*", [".hid/h.jsonl"]), ("d/.*.jsonl", [".h.jsonl"]),
            ("d/[12].jsonl", ["1.jsonl", "2.jsonl"]), ("d/sub/../?.jsonl", ["1.jsonl", "2.jsonl"]),
            ("d/**/deep/*", ["sub/deep/e.jsonl"]), ("d/**/**/e.jsonl", ["sub/deep/e.jsonl"]),
            ("d/*/s.jsonl", ["sub/s.jsonl"]), ("d/__x*", ["__x.jsonl"]),
        ] {
            let path = work.url.appending(path: pattern).path
            let dataset = try loadDataset(.json(), dataFiles: [("train", [path])], split: "train")
            #expect(try integers(dataset, "f") == expected.map(JSONValue.string), "\(pattern)")
        }
        for pattern in ["d/README*", "d/c*", "zz/*", "d/{1,2}*.jsonl", "d**/1.jsonl"] {
            let path = work.url.appending(path: pattern).path
            #expect(throws: TrainingError.self, "\(pattern)") {
                try loadDataset(.json(), dataFiles: [("train", [path])])
            }
        }
    }

    @Test func `JSON files read as in Python`() throws {
        for entry in try #require(try golden()["json"]?.arrayValue) {
            try check(entry, .json(field: entry["options"]?["field"]?.stringValue))
        }
    }

    @Test func `text files read as in Python`() throws {
        for entry in try #require(try golden()["text"]?.arrayValue) {
            var options = TextOptions()
            if let unit = entry["options"]?["sample_by"]?.stringValue {
                options.sampleBy = try #require(TextOptions.Unit(rawValue: unit))
            }
            options.keepsLineBreaks = entry["options"]?["keep_linebreaks"]?.boolValue ?? false
            try check(entry, .text(options))
        }
    }

    @Test func `integers beyond 64 bits stay text in CSV`() throws {
        let dataset = try load(.csv(), "id\n12345678901234567890\n1\n")
        #expect(try dataset.column("id")?.string(at: 0) == "12345678901234567890")
    }

    @Test func `errors name file and line`() throws {
        let json = message(.json(), "{\"a\": 1}\n{\"a\": tru}\n")
        #expect(json.contains("file:2'"), "\(json)")
        #expect(json.contains("expected a value, found 't'"), "\(json)")
        let scalar = message(.json(), "{\"a\": 1}\n\n5\n")
        #expect(scalar.contains("file:3': expected an object, found an integer"), "\(scalar)")
        let element = message(.json(), "[{\"a\": 1}, 5]")
        #expect(element.contains("element 2: expected an object"), "\(element)")
        let field = message(.json(field: "rows"), "{\"data\": []}")
        #expect(field.contains("no field 'rows'; the file's fields are 'data'"), "\(field)")
        let wide = message(.csv(), "a,b\n\"x\ny\",1\n1,2,3\n")
        #expect(wide.contains("file:4': expected 2 fields, found 3"), "\(wide)")
        let quote = message(.csv(), "a\nx\n\"y\n")
        #expect(quote.contains("file:3': a quoted field has no end"), "\(quote)")
        var csv = CSVOptions()
        csv.header = .record(3)
        #expect(message(.csv(csv), "a\nx\n").contains("has no record 3, counted from 0, to be the"))
        csv = CSVOptions()
        csv.escape = UInt8(ascii: "\\")
        #expect(message(.csv(csv), "a\nx\\").contains("file:2': the escape character has nothing"))
        #expect(message(.csv(csv), "a\nx\n\"y\\\"\n").contains("file:3': a quoted field has no"))
        for format in [DatasetFormat.json(), .csv(), .text()] {
            #expect(message(format, "").contains("the file is empty"))
        }
        #expect(throws: TrainingError.self) {
            try loadDataset(.json(), dataFiles: [("train", ["no such file"])])
        }
        #expect(throws: TrainingError.self) {
            try loadDataset(.json(), dataFiles: [("train", ["no-such-*.jsonl"])])
        }
    }

    @Test func `what is written is read again`() throws {
        let dataset = try Dataset(columns: [
            ("s", ["a, \"b\"\n", "\"\u{301}", "plain", " x "]), ("x", [0.1, 1e300, -5.0, 1e-7]),
            ("n", [1, -2, 3, 4]), ("b", [true, false, true, false]),
        ])
        let work = try TestSupport.TemporaryFolder()
        defer { work.remove() }
        for (format, name) in [(DatasetFormat.json(), "a.jsonl"), (.csv(), "a.csv")] {
            let path = work.url.appending(path: name).path
            let bytes =
                name.hasSuffix("csv")
                ? try dataset.writeCSV(to: path) : try dataset.writeJSONLines(to: path)
            #expect(try Data(contentsOf: URL(filePath: path)).count == bytes)
            let back = try loadDataset(format, dataFiles: [("train", [path])], split: "train")
            #expect(back.features == dataset.features)
            #expect(try (0..<4).map(back.row) == (0..<4).map(dataset.row))
        }
    }

    @Test func `files are written as Python writes them`() throws {
        let work = try TestSupport.TemporaryFolder()
        defer { work.remove() }
        let path = work.url.appending(path: "file").path
        for entry in try #require(try golden()["written"]?.arrayValue) {
            let columns = try #require(entry["columns"]?.objectValue)
            let dataset = try Dataset(
                columns: columns.map { ($0.key, $0.value.arrayValue ?? []) })
            func expect(_ name: String, _ write: (String) throws -> Int) throws {
                _ = try write(path)
                #expect(
                    try String(contentsOf: URL(filePath: path), encoding: .utf8)
                        == entry[name]?.stringValue)
            }
            try expect("json") { try dataset.writeJSONLines(to: $0) }
            try expect("json_raw") { try dataset.writeJSONLines(to: $0, forcesASCII: false) }
            try expect("csv", dataset.writeCSV)
        }
    }

    @Test func `JSON has no NaN`() throws {
        let work = try TestSupport.TemporaryFolder()
        defer { work.remove() }
        let path = work.url.appending(path: "file").path
        try Dataset(columns: [("x", [.double(.nan), .double(-.infinity), 1.5])])
            .writeJSONLines(to: path)
        #expect(
            try String(contentsOf: URL(filePath: path), encoding: .utf8)
                == "{\"x\":null}\n{\"x\":null}\n{\"x\":1.5}\n")
    }
}

struct SplitInstructionTests {
    @Test func `slices give the rows that Python gives`() throws {
        let work = try TestSupport.TemporaryFolder()
        defer { work.remove() }
        var files: [(split: String, paths: [String])] = []
        for (name, count) in [("train", 205), ("test", 15)] {
            let path = work.url.appending(path: "\(name).jsonl").path
            try Dataset(columns: [("n", (0..<count).map { .string("\(name)\($0)") })])
                .writeJSONLines(to: path)
            files.append((name, [path]))
        }
        for entry in try #require(try golden()["splits"]?.arrayValue) {
            let split = try #require(entry["split"]?.stringValue)
            guard let expected = entry["rows"], !expected.isNull else {
                #expect(throws: TrainingError.self, "\(split)") {
                    try loadDataset(.json(), dataFiles: files, split: split)
                }
                continue
            }
            let dataset = try loadDataset(.json(), dataFiles: files, split: split)
            #expect(try JSONValue.array(integers(dataset)) == expected, "\(split)")
        }
    }

    @Test func `errors repeat the slice and name the splits`() throws {
        let error = #expect(throws: TrainingError.self) {
            try loadDataset(.json(), dataFiles: [("train", ["x"]), ("test", ["y"])], split: "dev")
        }
        #expect(
            error?.description
                == "load_dataset: split: unknown split 'dev'; the splits are 'train', 'test'")
        let grammar = #expect(throws: TrainingError.self) { try SplitInstruction("train[3]") }
        #expect(grammar?.description.contains("'train[3]' has no ':'") == true)
        // Huge numbers are no trap.
        _ = try SplitInstruction("train[:9223372036854775807]")
        #expect(throws: TrainingError.self) { try SplitInstruction("train[:9223372036854775808]") }
    }
}
