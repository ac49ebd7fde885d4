import Foundation
import Testing
import Training

/// A folder that goes with the test.
struct ScratchFolder: ~Copyable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "st-host-test-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

struct SafetensorsFileTests {
    static func bytes(_ header: String, data: Int) -> [UInt8] {
        var length = UInt64(header.utf8.count).littleEndian
        return withUnsafeBytes(of: &length) { Array($0) } + Array(header.utf8)
            + [UInt8](repeating: 1, count: data)
    }

    static func tensor(
        _ name: String, _ begin: Int, _ end: Int, shape: String = "[2]", type: String = "F32"
    ) -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(end)]}"
    }

    struct Broken: Sendable, CustomStringConvertible {
        let description: String
        let bytes: [UInt8]
        let message: String
    }

    static let broken: [Broken] = [
        Broken(description: "empty", bytes: [], message: "is empty"),
        Broken(
            description: "too short", bytes: [1, 2, 3],
            message: "3 bytes are too few for the header's length"),
        Broken(
            description: "header length beyond the file",
            bytes: Array([UInt8](repeating: 0xff, count: 8) + [0x7b]),
            message: "the header is said to have 18446744073709551615 bytes, the file has 9"),
        Broken(
            description: "header cut short", bytes: bytes("{", data: 0),
            message: "the header is not valid JSON"),
        Broken(
            description: "header no object", bytes: bytes("[1]", data: 0),
            message: "the header does not start with '{'"),
        Broken(
            description: "data cut short", bytes: bytes("{\(tensor("a", 0, 8))}", data: 7),
            message: "tensor 'a' ends at byte 8 of the data, which has 7"),
        Broken(
            description: "bytes left over", bytes: bytes("{\(tensor("a", 0, 8))}", data: 9),
            message: "1 bytes at its end belong to no tensor"),
        Broken(
            description: "shape and bytes differ",
            bytes: bytes("{\(tensor("a", 0, 8, shape: "[3]"))}", data: 8),
            message: "needs 12 bytes, its data_offsets span 8"),
        Broken(
            description: "offsets the wrong way round",
            bytes: bytes("{\(tensor("a", 8, 0))}", data: 8),
            message: "tensor 'a' has no valid data_offsets"),
        Broken(
            description: "negative offset", bytes: bytes("{\(tensor("a", -8, 0))}", data: 8),
            message: "tensor 'a' has no valid data_offsets"),
        Broken(
            description: "overlap",
            bytes: bytes("{\(tensor("a", 0, 8)),\(tensor("b", 4, 12))}", data: 12),
            message: "tensor 'b' overlaps the one before it"),
        Broken(
            description: "hole",
            bytes: bytes("{\(tensor("a", 0, 8)),\(tensor("b", 12, 20))}", data: 20),
            message: "4 bytes before tensor 'b' belong to no tensor"),
        Broken(
            description: "listed twice",
            bytes: bytes("{\(tensor("a", 0, 8)),\(tensor("a", 8, 16))}", data: 16),
            message: "tensor 'a' is listed twice"),
        Broken(
            description: "overflowing shape",
            bytes: bytes(
                "{\(tensor("a", 0, 8, shape: "[4611686018427387904, 4]"))}", data: 8),
            message: "tensor 'a' is larger than any memory"),
        Broken(
            description: "overflowing bytes",
            bytes: bytes("{\(tensor("a", 0, 8, shape: "[4611686018427387904]"))}", data: 8),
            message: "tensor 'a' is larger than any memory"),
        Broken(
            description: "negative dimension",
            bytes: bytes("{\(tensor("a", 0, 8, shape: "[-2]"))}", data: 8),
            message: "tensor 'a' has the dimension -2"),
        Broken(
            description: "fractional dimension",
            bytes: bytes("{\(tensor("a", 0, 8, shape: "[2.5]"))}", data: 8),
            message: "tensor 'a' has the dimension 2.5"),
        Broken(
            description: "unknown dtype",
            bytes: bytes("{\(tensor("a", 0, 8, type: "Q4"))}", data: 8),
            message: "tensor 'a' has the unknown dtype 'Q4'"),
        Broken(
            description: "no dtype", bytes: bytes("{\"a\":{}}", data: 0),
            message: "tensor 'a' has no dtype"),
        Broken(
            description: "tensor no object", bytes: bytes("{\"a\":3}", data: 0),
            message: "tensor 'a' has no dtype"),
    ]

    @Test(arguments: broken)
    func `a broken file is refused with a sentence about it`(_ broken: Broken) throws {
        let folder = try ScratchFolder()
        let path = folder.path + "/model.safetensors"
        try Data(broken.bytes).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: TrainingError.self) { _ = try SafetensorsFile(path: path) }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("'\(path)': "))
        #expect(text.contains(broken.message), "\(text)")
    }

    @Test func `a missing file and a folder are refused`() throws {
        let folder = try ScratchFolder()
        for path in [folder.path, folder.path + "/none"] {
            #expect(throws: TrainingError.self) { _ = try SafetensorsFile(path: path) }
        }
    }

    @Test(arguments: [TensorType.float32, .float16, .bfloat16])
    func `values written in a type come back rounded to it`(_ type: TensorType) throws {
        let folder = try ScratchFolder()
        let path = folder.path + "/model.safetensors"
        let values: [Float] = [0, -0.0, 1, -2.5, 0.1, 65504, 1e-3, .infinity, 3.14159, 1.00390625]
        try values.withUnsafeBufferPointer { buffer in
            let base = try #require(buffer.baseAddress)
            try writeSafetensors(
                [
                    TensorToWrite(name: "b", type: type, shape: [2, 5], values: base),
                    TensorToWrite(name: "a", type: .float32, shape: [1], values: base + 2),
                ], to: path)
        }
        let file = try SafetensorsFile(path: path)
        let tensor = try #require(file["b"])
        #expect(tensor.shape == [2, 5] && tensor.type == type)
        #expect(file.metadata == ["format": "pt"])
        #expect(file["a"]?.count == 1 && file["c"] == nil)
        let read = try ModelGolden.values(file, "b")
        let relative: Float = type == .float32 ? 0 : type == .float16 ? 0x1p-11 : 0x1p-8
        expectClose(read, values, absolute: 0, relative: relative, "\(type)")
        // Ties go to even: 1 + 1/256 lies between two bfloat16 numbers.
        if type == .bfloat16 { #expect(read[9] == 1) }
        // What a type holds exactly survives another round.
        var other = [Float](repeating: 0, count: read.count)
        read.withUnsafeBufferPointer { source in
            other.withUnsafeMutableBufferPointer { target in
                if let source = source.baseAddress, let target = target.baseAddress {
                    type.encode(source, count: read.count).withUnsafeBytes {
                        if let bytes = $0.baseAddress {
                            type.decode(bytes, count: read.count, into: target)
                        }
                    }
                }
            }
        }
        #expect(other == read)
    }

    @Test func `writing to a mapped tensor leaves the file as it is`() throws {
        let folder = try ScratchFolder()
        let path = folder.path + "/model.safetensors"
        let values: [Float] = [1, 2, 3]
        try values.withUnsafeBufferPointer {
            try writeSafetensors(
                [
                    TensorToWrite(
                        name: "a", type: .float32, shape: [3],
                        values: try #require($0.baseAddress))
                ], to: path)
        }
        let file = try SafetensorsFile(path: path)
        let tensor = try #require(file["a"])
        let mapped = try #require(file.floatsInPlace(tensor))
        mapped[1] = 20
        #expect(try ModelGolden.values(SafetensorsFile(path: path), "a") == values)
        #expect(try ModelGolden.values(file, "a") == [1, 20, 3])
    }

    @Test func `moving a tensor away leaves its neighbours and can be done again`() throws {
        let folder = try ScratchFolder()
        let path = folder.path + "/model.safetensors"
        // Some pages each, and borders within pages.
        let count = 5000
        let values = (0..<3 * count).map(Float.init)
        try values.withUnsafeBufferPointer {
            let base = try #require($0.baseAddress)
            try writeSafetensors(
                ["a", "b", "c"].enumerated().map {
                    TensorToWrite(
                        name: $1, type: .float32, shape: [count], values: base + $0 * count)
                }, to: path)
        }
        let file = try SafetensorsFile(path: path)
        let neighbours = try ["a", "c"].map { name in
            let tensor = try #require(file[name])
            return try #require(file.floatsInPlace(tensor))
        }
        for neighbour in neighbours {
            for index in 0..<count { neighbour[index] = -1 }
        }
        let middle = try #require(file["b"])
        for _ in 0..<2 {
            var moved = [Float](repeating: 0, count: count)
            moved.withUnsafeMutableBufferPointer {
                if let target = $0.baseAddress { file.move(middle, into: target) }
            }
            #expect(moved == Array(values[count..<2 * count]))
        }
        for neighbour in neighbours {
            #expect((0..<count).allSatisfy { neighbour[$0] == -1 })
        }

        // Memory that is no file has nowhere to be read from again.
        let region = try MemoryRegion.zeroed(bytes: 65536)
        region.floats[9000] = 7
        region.letGo(0..<65536)
        #expect(region.floats[9000] == 7)
    }
}
