import Foundation
import OrderedJSON
import Testing
import Training

/// What the model tests share: golden files and comparisons that say where two arrays part.
enum ModelGolden {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden/model").path

    static func model(_ name: String, threads: Int = 1) throws -> SentenceTransformer {
        var options = SentenceTransformer.Options()
        options.threads = threads
        return try SentenceTransformer(path: "\(folder)/\(name)", options: options)
    }

    static func json(_ name: String) throws -> JSONValue {
        try JSONValue.parse(
            utf8: Array(Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))))
    }

    static func tensors(_ name: String) throws -> SafetensorsFile {
        try SafetensorsFile(path: "\(folder)/\(name).safetensors")
    }

    static func values(_ file: SafetensorsFile, _ name: String) throws -> [Float] {
        let tensor = try #require(file[name], "no tensor \(name)")
        var values = [Float](repeating: 0, count: tensor.count)
        values.withUnsafeMutableBufferPointer {
            if let base = $0.baseAddress { file.decode(tensor, into: base) }
        }
        return values
    }

    /// The batch of one golden case; its passes follow each other.
    static func batch(_ passes: [[[Int32]]], promptLength: Int) -> PackedBatch {
        var batch = PackedBatch()
        for pass in passes {
            let start = batch.sentenceCount
            for sentence in pass { batch.append(sentence, promptLength: promptLength) }
            batch.passes.append(start..<batch.sentenceCount)
        }
        return batch
    }

    static func sentences(_ value: JSONValue?) -> [[Int32]] {
        (value?.arrayValue ?? []).map { sentence in
            (sentence.arrayValue ?? []).map { Int32($0.intValue ?? -1) }
        }
    }
}

/// Compares element by element with absolute plus relative tolerance; a failure names the place.
func expectClose(
    _ actual: [Float], _ expected: [Float], absolute: Float, relative: Float = 0, _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record(
            "\(name): \(actual.count) values, expected \(expected.count)",
            sourceLocation: sourceLocation)
        return
    }
    for index in actual.indices {
        let (a, b) = (actual[index], expected[index])
        if a == b || abs(a - b) <= absolute + relative * abs(b) { continue }
        Issue.record(
            "\(name)[\(index)]: \(a), expected \(b)", sourceLocation: sourceLocation)
        return
    }
}

extension Parameter {
    package var gradientValues: [Float]? {
        gradient.map { Array(UnsafeBufferPointer(start: $0, count: count)) }
    }
    package var values: [Float] { Array(UnsafeBufferPointer(start: value, count: count)) }
}
