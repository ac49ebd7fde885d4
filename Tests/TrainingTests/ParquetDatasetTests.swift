// Datasets from Parquet files: what is read when, and how parts of files go together.
import Foundation
import OrderedJSON
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
        #expect(dataset.features.map(\.type) == [.string, .int64, .list(.string)])
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

    @Test func `a damaged page is found when its column is read, and other columns still read`()
        throws
    {
        let folder = try TemporaryFolder()
        var bytes = [UInt8](try Data(contentsOf: file))
        // The first page of the first column follows the magic number.
        bytes[4] = 0x0f
        let damaged = URL(filePath: folder.path + "/damaged.parquet")
        try Data(bytes).write(to: damaged)
        let dataset = try load("train", paths: [damaged.path])
        #expect(try dataset.requireColumn("number").int(at: 249) == 249)
        let error = #expect(throws: TrainingError.self) { try dataset.requireColumn("text") }
        #expect(error?.description.hasPrefix("'\(damaged.path)': column 'text': page 0: ") == true)
    }
}
