// Rows that shuffles, parts, mixtures and slices take, and classes, against Python's datasets for
// dozens of seeds and expressions (scripts/golden/dataset_rows.py).
import Foundation
import OrderedJSON
import TestSupport
import Testing
import Training

private func golden(_ name: String) throws -> [JSONValue] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Golden/dataset_rows.json")
    return try #require(try JSONValue.parse(utf8: Array(Data(contentsOf: file)))[name]?.arrayValue)
}

private func numbers(_ rows: Range<Int>) throws -> Dataset {
    try Dataset(columns: [("n", rows.map { .int(Int64($0)) })])
}

/// Number of rows, the first eight and a checksum of all: what the golden file keeps.
private func expect(
    _ dataset: Dataset, is expected: JSONValue, _ label: String,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let column = dataset.numRows == 0 ? nil : try dataset.requireColumn("n")
    let rows = try (0..<dataset.numRows).map { try #require(column?.int(at: $0)) }
    let checksum = rows.reduce(UInt32(0)) { $0 &* 31 &+ UInt32(truncatingIfNeeded: $1) }
    #expect(rows.count == expected["count"]?.intValue, "\(label)", sourceLocation: sourceLocation)
    #expect(
        .array(rows.prefix(8).map(JSONValue.init)) == expected["first"], "\(label)",
        sourceLocation: sourceLocation)
    #expect(
        .int(Int64(checksum)) == expected["checksum"], "\(label)", sourceLocation: sourceLocation)
}

struct DatasetRowsTests {
    @Test func `50 shuffles are Python's`() throws {
        let cases = try golden("shuffle")
        #expect(cases.count == 50)
        for entry in cases {
            let seed = try #require(entry["seed"]?.intValue)
            let rows = try #require(entry["rows"]?.intValue)
            try expect(
                numbers(0..<rows).shuffled(seed: UInt64(seed)), is: entry,
                "seed \(seed), \(rows) rows")
        }
    }

    @Test func `50 trains and tests are Python's`() throws {
        let cases = try golden("train_test_split")
        #expect(cases.count == 50)
        for entry in cases {
            let options = try #require(entry["options"])
            let rows = try #require(entry["rows"]?.intValue)
            func size(_ name: String) -> Dataset.SplitSize? {
                switch options[name] {
                case .int(let rows)?: .rows(Int(rows))
                case .double(let share)?: .fraction(share)
                default: nil
                }
            }
            func split() throws -> (train: Dataset, test: Dataset) {
                try numbers(0..<rows).trainTestSplit(
                    testSize: size("test_size"), trainSize: size("train_size"),
                    shuffle: options["shuffle"]?.boolValue ?? true,
                    seed: options["seed"]?.intValue.map(UInt64.init))
            }
            let label = "\(rows) rows, \(options)"
            guard let train = entry["train"], !train.isNull else {
                #expect(throws: TrainingError.self, "\(label)") { try split() }
                continue
            }
            let parts = try split()
            try expect(parts.train, is: train, label)
            try expect(parts.test, is: entry["test"] ?? .null, label)
        }
    }

    @Test func `80 slices are Python's`() throws {
        let work = try TestSupport.TemporaryFolder()
        defer { work.remove() }
        var files: [(split: String, paths: [String])] = []
        var start = 0
        for (name, count) in [("train", 1037), ("validation", 205), ("test", 15)] {
            let path = work.url.appending(path: "\(name).jsonl").path
            try numbers(start..<start + count).writeJSONLines(to: path)
            files.append((name, [path]))
            start += count
        }
        let cases = try golden("slices")
        #expect(cases.count { $0["count"]?.isNull == false } >= 50)
        for entry in cases {
            let split = try #require(entry["split"]?.stringValue)
            if entry["count"]?.isNull == true {
                #expect(throws: TrainingError.self, "\(split)") {
                    try loadDataset(.json(), dataFiles: files, split: split)
                }
            } else {
                try expect(
                    loadDataset(.json(), dataFiles: files, split: split), is: entry, split)
            }
        }
    }

    @Test func `54 mixtures are Python's`() throws {
        let cases = try golden("interleave")
        #expect(cases.count == 54)
        for entry in cases {
            var start = 0
            let sources = try #require(entry["lengths"]?.arrayValue).map { length in
                let count = try #require(length.intValue)
                defer { start += count }
                return try numbers(start..<start + count)
            }
            let options = try #require(entry["options"])
            let mixed = try Dataset.interleaved(
                sources,
                probabilities: options["probabilities"]?.arrayValue?.compactMap(\.doubleValue),
                seed: options["seed"]?.intValue.map(UInt64.init),
                stoppingStrategy: try #require(
                    options["stopping_strategy"]?.stringValue.flatMap(StoppingStrategy.init)))
            try expect(mixed, is: entry, "\(entry["lengths"] ?? .null), \(options)")
        }
    }

    @Test func `mixtures that would never end are refused`() throws {
        let sources = [try numbers(0..<3), try numbers(0..<0), try numbers(5..<6)]
        func problem(_ probabilities: [Double]?, _ strategy: StoppingStrategy) -> String {
            let error = #expect(throws: TrainingError.self) {
                try Dataset.interleaved(
                    sources, probabilities: probabilities, seed: 1, stoppingStrategy: strategy)
            }
            return error?.description ?? ""
        }
        #expect(problem([0.5, 0.5], .firstExhausted).contains("2 values for 3 datasets"))
        #expect(problem([0.5, 0.1, 0.1], .firstExhausted).contains("their sum is 0.7"))
        #expect(problem([0.5, 1, -0.5], .firstExhausted).contains("-0.5 is no probability"))
        #expect(problem([.nan, 0, 0], .firstExhausted).contains("is no probability"))
        #expect(problem([0.5, 0.1, 0.4], .firstExhausted).contains("dataset 2 has no rows"))
        #expect(problem([1, 0, 0], .allExhausted).contains("dataset 3 has the probability 0"))
        #expect(problem(nil, .allExhausted).contains("dataset 2 has no rows to repeat"))
        #expect(try Dataset.interleaved(sources).numRows == 0)
    }

    @Test func `classes are Python's`() throws {
        let cases = try golden("classes")
        #expect(cases.count == 12)
        for entry in cases {
            let values = try #require(entry["values"]?.arrayValue)
            // Through an order of rows, which the encoded column must keep.
            let dataset = try Dataset(columns: [("n", values), ("other", values)])
                .select((0..<values.count).reversed()).select((0..<values.count).reversed())
            let encoded = try dataset.classEncodedColumn(
                "n", includesNulls: entry["include_nulls"]?.boolValue ?? false)
            let names = try #require(entry["names"]?.arrayValue).compactMap(\.stringValue)
            #expect(encoded.features.first?.type == .classLabel(names), "\(entry)")
            #expect(.array(Array(try encoded.requireColumn("n"))) == entry["rows"], "\(entry)")
            #expect(
                try Array(encoded.requireColumn("other")) == Array(dataset.requireColumn("other")))
        }
    }

    @Test func `class names and numbers go both ways`() throws {
        let label = try ClassLabel(names: ["no", "yes", "10"])
        #expect(try label.name(of: 1) == "yes")
        #expect(try label.number(of: " yes ") == 1)
        #expect(try label.number(of: "10") == 2)
        #expect(try label.number(of: "-1") == -1)
        let error = #expect(throws: TrainingError.self) { try label.number(of: "maybe") }
        #expect(
            error?.description
                == "ClassLabel: str2int: there is no class 'maybe'; the classes are 'no', 'yes', '10'"
        )
        #expect(throws: TrainingError.self) { try label.name(of: -1) }
        #expect(throws: TrainingError.self) { try label.name(of: 3) }
        #expect(throws: TrainingError.self) { try ClassLabel(names: ["a", "a"]) }
    }

    @Test func `classes outlive map, select and sums`() throws {
        let dataset = try Dataset(columns: [("n", ["b", "a", .null, "b"])])
            .classEncodedColumn("n")
        let type = FeatureType.classLabel(["a", "b"])
        let mapped = try dataset.map { _, index in ["m": .int(Int64(index))] }
        #expect(mapped.features.first?.type == type)
        // As in Python, a number that is no class is refused.
        #expect(throws: TrainingError.self) {
            try dataset.map { row, _ in ["n": .int(Int64((row["n"]?.intValue ?? 0) + 1))] }
        }
        #expect(
            try Dataset.concatenated([dataset, dataset.shuffled(seed: 1)]).features.first?.type
                == type)
        let other = try Dataset(columns: [("n", ["c"])]).classEncodedColumn("n")
        let error = #expect(throws: TrainingError.self) {
            try Dataset.concatenated([dataset, other])
        }
        #expect(error?.description.contains("column 'n' has different types") == true)
    }
}

struct DatasetMapTests {
    private func map(_ old: [JSONValue], _ new: [JSONValue]) throws -> Dataset {
        try Dataset(columns: [("x", old)]).map { _, index in ["x": new[index]] }
    }

    private func labels(_ values: [JSONValue]) throws -> Dataset {
        try Dataset(columns: [("label", ["neg", "pos"])]).classEncodedColumn("label")
            .map { _, index in ["label": values[index]] }
    }

    @Test func `a mapped column keeps its type where the values fit, as in Python`() throws {
        let nan = JSONValue.double(.nan)
        for (old, new, type): ([JSONValue], [JSONValue], FeatureType) in [
            (["0.5", "1"], [0.5, 1.0], .float64), (["a", "b"], [1, 2], .int64),
            (["a", "b"], [true, false], .bool), (["a", "b"], [["a"], ["b"]], .list(.string)),
            (["a", "b"], [.null, .null], .string), ([1, 2], [.null, .null], .int64),
            ([1, 2], [1.5, 2], .float64), ([1, 2], [1.0, 2.0], .int64),
            ([1, 2], [nan, 1.0], .float64), ([1, 2], ["x", "2"], .string),
            ([1, 2], ["-1", "2"], .int64), ([1, 2], ["+1", "2"], .string),
            ([1, 2], [true, false], .int64), ([true, false], [1, 0], .bool),
            ([true, false], ["true", "b"], .string), ([0.5, 1.5], [3, 4], .float64),
            ([0.5, 1.5], ["-inf", "1e3"], .float64), ([0.5, 1.5], ["0.5", " 1"], .string),
            ([0.5, 1.5], [9_007_199_254_740_993, 1], .int64),
            ([[1], [2]], [[0.5], [1.0]], .list(.float64)), ([[1], [2]], [[], []], .list(.int64)),
            ([.null, .null], [1, 2], .int64), (["a", 1], ["p", "q"], .json),
            (["a", "b"], ["a", 2], .json),
        ] {
            let mapped = try map(old, new)
            #expect(mapped.features.map(\.type) == [type], "\(old) to \(new)")
            let batched = try Dataset(columns: [("x", old)]).map(batchesOf: 1) { _, rows in
                [("x", Array(new[rows]))]
            }
            #expect(batched.features == mapped.features, "\(old) to \(new)")
        }
        #expect(try map(["0.5", "1"], [0.5, 1.0]).sorted(by: "x").row(0) == ["x": 0.5])
        #expect(try map([1, 2], ["-1", "2"]).row(0) == ["x": -1])
        // Rows that keep their value count, too.
        let some = try Dataset(columns: [("x", [1, 2])]).map { row, _ in
            row["x"] == 2 ? ["x": 0.5] : [:]
        }
        #expect(try Array(some.requireColumn("x")) == [1.0, 0.5])
    }

    @Test func `a mapped column of classes keeps them and takes their names`() throws {
        let type = FeatureType.classLabel(["neg", "pos"])
        for (values, numbers): ([JSONValue], [JSONValue]) in [
            (["pos", "neg"], [1, 0]), ([" pos ", "0"], [1, 0]), ([1, -1], [1, -1]),
            ([1.0, 0.0], [1, 0]), ([true, .null], [1, .null]),
        ] {
            let mapped = try labels(values)
            #expect(mapped.features.map(\.type) == [type], "\(values)")
            #expect(try Array(mapped.requireColumn("label")) == numbers)
        }
        #expect(try labels([0.5, 0.0]).features.map(\.type) == [.float64])
        let text = #expect(throws: TrainingError.self) { try labels(["pos", "zz"]) }
        #expect(
            text?.description == "map: function: 'zz' is no class of column 'label'; "
                + "its classes are 'neg', 'pos'; give other values another column")
        let number = #expect(throws: TrainingError.self) { try labels([1, 7]) }
        #expect(
            number?.description == "map: function: 7 is no class of column 'label'; "
                + "its classes are 0 to 1: 'neg', 'pos'; give other values another column")
    }

    @Test func `map of no rows keeps the columns`() throws {
        let dataset = try Dataset(columns: [("a", [1]), ("b", ["x"])])
        let none = dataset.slice(0..<0)
        let mapped = try none.map(removing: ["a"]) { _, _ in ["c": 1] }
        #expect(mapped.features == [.init(name: "b", type: .string)] && mapped.numRows == 0)
        #expect(try none.map(batchesOf: 2) { _, _ in [] }.features == dataset.features)
        let dropped = try dataset.map(batchesOf: 2, dropsLast: true) { _, _ in [] }
        #expect(dropped.features == dataset.features && dropped.numRows == 0)
        let bare = try dataset.map(removing: ["a", "b"]) { _, _ in [:] }
        #expect(bare.numRows == 0 && bare.features.isEmpty, "as in Python")
    }
}

struct DatasetNameTests {
    private let composed = "\u{e9}"
    private let combined = "e\u{301}"

    @Test func `names of columns are told apart by their bytes`() throws {
        let rows: [JSONObject] = [
            [composed: 1, combined: 2], [composed: 3, combined: 4],
        ]
        let dataset = try Dataset(rows: rows)
        #expect(dataset.columnNames.map(\.utf8.count) == [2, 3] && dataset.numRows == 2)
        #expect(try Array(dataset.requireColumn(combined)) == [2, 4])
        let mapped = try dataset.map { row, _ in [combined: row[composed] ?? .null] }
        #expect(try mapped.row(1).values == [3, 3])
        let kept = try dataset.removeColumns([combined])
        #expect(try kept.row(1).values == [3])
        #expect(throws: TrainingError.self) { try kept.requireName(combined) }
        #expect(try kept.renameColumns([(composed, combined)]).features != kept.features)
        let both = try Dataset.concatenated([kept, kept.renameColumns([(composed, combined)])])
        #expect(both.columnNames.count == 2 && both.numRows == 4)
    }

    @Test func `names of classes and splits are told apart by their bytes`() throws {
        let dataset = try Dataset(columns: [("x", [.string(composed), .string(combined)])])
        let encoded = try dataset.classEncodedColumn("x")
        #expect(try Array(encoded.requireColumn("x")) == [1, 0])
        let label = try ClassLabel(names: [composed])
        #expect(throws: TrainingError.self) { try label.number(of: combined) }
        let dict = DatasetDict([(composed, dataset), (combined, encoded)])
        #expect(dict[combined] === encoded && dict[composed] === dataset)
    }
}
