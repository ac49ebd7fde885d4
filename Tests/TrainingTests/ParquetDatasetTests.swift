// Datasets from Parquet files: what is read when, and how parts of files go together.
import Foundation
import OrderedJSON
import Parquet
import TestSupport
import Testing
import Training

struct ParquetDatasetTests {
    private let file = Repository.root.appending(path: "Tests/ParquetTests/Golden/groups.parquet")

    private func load(
        _ split: String, paths: [String]? = nil, _ options: ParquetOptions = .init()
    ) throws -> Dataset {
        try loadDataset(
            .parquet(options), dataFiles: [("train", paths ?? [file.path])], split: split)
    }

    @Test func `rows and columns are those of the file`() throws {
        let dataset = try load("train")
        #expect(dataset.numRows == 250)
        #expect(dataset.columnNames == ["text", "number", "list"])
        #expect(
            dataset.features.map(\.type)
                == [.string, .integer(bits: 32, isSigned: true), .list(.string)])
        #expect(
            try dataset.row(105)
                == ["text": "text 105", "number": 105, "list": ["105-0"]])
        #expect(try dataset.row(101)["text"] == .null)
        let numbers = try dataset.requireColumn("number")
        #expect((0..<250).allSatisfy { numbers.int(at: $0) == $0 })
    }

    @Test func `slices, shuffles and sums of files keep their rows`() throws {
        let slice = try load("train[90:110]+train[240:]")
        #expect(
            try slice.requireColumn("number").map(\.intValue) == Array(90..<110) + Array(240..<250))
        let twice = try load("train", paths: [file.path, file.path])
        #expect(twice.numRows == 500)
        #expect(try twice.value(row: 499, column: "text") == "text 249")
        let shuffled = twice.shuffled(seed: 3)
        for row in [0, 17, 499] {
            let number = try #require(try shuffled.value(row: row, column: "number").intValue)
            let text = try shuffled.value(row: row, column: "text")
            #expect(text == (number % 7 == 3 ? .null : .string("text \(number)")))
        }
    }

    @Test func `columns can be chosen, and unknown ones are named`() throws {
        let dataset = try load("train", .init(columns: ["number", "text"]))
        #expect(dataset.columnNames == ["number", "text"])
        let error = #expect(throws: TrainingError.self) {
            try load("train", .init(columns: ["anchor"]))
        }
        #expect(
            error?.description
                == "'\(file.path)': there is no column 'anchor'; the columns are 'text', 'number', "
                + "'list'")
    }

    @Test func `a large row group is read part by part, from any row and as a whole`() throws {
        let work = try TestSupport.TemporaryFolder()
        defer { work.remove() }
        let path = work.url.appending(path: "large.parquet").path
        let count = 300_000
        try Dataset(columns: [
            ("n", (0..<count).map { .int(Int64($0)) }),
            ("t", (0..<count).map { $0 % 11 == 5 ? .null : .string("row \($0 % 5000)") }),
        ]).writeParquet(to: path, rowGroupRows: count)
        func expect(_ dataset: Dataset, _ rows: [Int]) throws {
            let numbers = try dataset.requireColumn("n")
            let texts = try dataset.requireColumn("t")
            let isRight = rows.enumerated().allSatisfy { place, row in
                numbers.int(at: place) == row
                    && texts.string(at: place) == (row % 11 == 5 ? nil : "row \(row % 5000)")
            }
            #expect(dataset.numRows == rows.count && isRight)
        }
        try expect(try load("train", paths: [path]), Array(0..<count))
        try expect(try load("train[:10000]", paths: [path]), Array(0..<10_000))
        try expect(
            try load("train[16380:16390]+train[-3:]", paths: [path]),
            Array(16380..<16390) + Array(count - 3..<count))
        let dataset = try load("train", paths: [path])
        for row in [0, 16_383, 16_384, 49_151, 49_152, 114_688, 245_760, count - 1] {
            #expect(try dataset.value(row: row, column: "n") == .int(Int64(row)))
        }
        let shuffled = dataset.shuffled(seed: 1)
        #expect(
            Set(try shuffled.requireColumn("n").map { $0.intValue ?? -1 }) == Set(0..<count))
    }

    @Test func `a damaged page is found when its column is read, and other columns still read`()
        throws
    {
        let folder = try TestSupport.TemporaryFolder()
        defer { folder.remove() }
        var bytes = [UInt8](try Data(contentsOf: file))
        // The first page of the first column follows the magic number.
        bytes[4] = 0x0f
        let damaged = folder.url.appending(path: "damaged.parquet")
        try Data(bytes).write(to: damaged)
        let dataset = try load("train", paths: [damaged.path])
        #expect(try dataset.requireColumn("number").int(at: 249) == 249)
        let error = #expect(throws: TrainingError.self) { try dataset.requireColumn("text") }
        #expect(error?.description.hasPrefix("'\(damaged.path)': column 'text': page 0: ") == true)
    }

    @Test func `a dataset that is written reads back with its features`() throws {
        let folder = try TestSupport.TemporaryFolder()
        defer { folder.remove() }
        let path = folder.url.appending(path: "a.parquet").path
        let dataset = try Dataset(columns: [
            ("s", ["a", .null, "ü", "a"]), ("x", [0.5, .null, 1.5, -2.0]), ("n", [1, 2, .null, 4]),
            ("b", [true, .null, false, true]), ("l", [["x"], [], .null, ["y", .null]]),
            ("r", [["p": 1, "q": [1.5]], .null, ["p": .null, "q": []], ["p": 4, "q": .null]]),
            ("mixed", ["a", 1, ["k": 2], .null]), ("class", ["no", "yes", .null, "no"]),
        ]).classEncodedColumn("class").select([3, 1, 0, 2, 3])
        for (compression, rows) in [(ParquetWriter.Compression.zstd, 2), (.none, nil)] {
            let bytes = try dataset.writeParquet(
                to: path, compression: compression, rowGroupRows: rows)
            #expect(try Data(contentsOf: URL(filePath: path)).count == bytes)
            let back = try load("train", paths: [path])
            #expect(back.features == dataset.features)
            #expect(try (0..<5).map(back.row) == (0..<5).map(dataset.row))
        }
        let error = #expect(throws: TrainingError.self) {
            _ = try Dataset(columns: [("r", [[:]])]).writeParquet(to: path)
        }
        #expect(
            error?.description
                == "'\(path)': column 'r': values of the kind empty structure can't be written")
    }

    @Test(
        .enabled(
            if: Repository.python != nil,
            "needs ST_HOST_PYTHON: a Python with datasets, as `make test` makes"))
    func `features outlive the way from Python through here to Python`() throws {
        let folder = try TestSupport.TemporaryFolder()
        defer { folder.remove() }
        let script = Repository.root.appending(path: "Tests/ParquetTests/Python/features.py").path
        func python(_ arguments: [String]) throws {
            let outcome = try Subprocess(
                try #require(Repository.python), [script] + arguments, in: folder.url
            ).run()
            try #require(outcome.status == 0, "\(outcome.errors)")
        }
        let theirs = folder.url.appending(path: "theirs.parquet").path
        let ours = folder.url.appending(path: "ours.parquet").path
        try python(["write", theirs])
        let dataset = try load("train", paths: [theirs])
        #expect(dataset.features[1].type == .classLabel(["negative", "positive"]))
        #expect(try dataset.value(row: 0, column: "json") == ["k": [1, "x"]])
        try dataset.writeParquet(to: ours)
        try python(["compare", theirs, ours])
        // Through functions of a script, too.
        try dataset.map { _, _ in [:] }.writeParquet(to: ours)
        try python(["compare", theirs, ours])
    }
}
