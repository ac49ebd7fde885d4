// Reads safetensors files: 8 bytes of header length, a JSON header, then the tensors' bytes.
//
// Nothing in the header is believed before it is checked against the file's size: a wrong number
// must become an error message, not a fault.
import OrderedJSON

/// One tensor of a file.
package struct StoredTensor: Sendable {
    package let name: String
    package let type: TensorType
    package let shape: [Int]
    /// Elements.
    package let count: Int
    /// Bytes from the start of the file.
    package let range: Range<Int>
}

/// A mapped safetensors file whose header has been checked.
///
/// Format: https://huggingface.co/docs/safetensors, "Format". As in its reference reader, tensors
/// must cover the data without holes and overlaps.
package final class SafetensorsFile: Sendable {
    package let path: String
    package let region: MemoryRegion
    /// In the order of the header.
    package let tensors: [StoredTensor]
    package let metadata: [String: String]
    private let positions: [String: Int]

    package subscript(name: String) -> StoredTensor? { positions[name].map { tensors[$0] } }

    package convenience init(path: String) throws {
        try self.init(path: path, region: MemoryRegion.mappedFile(path))
    }

    /// The bytes of a file in memory; `path` is for messages.
    package init(path: String, region: MemoryRegion) throws {
        self.path = path
        self.region = region
        let header = try HeaderReader(path: path, region: region).read()
        tensors = header.tensors
        metadata = header.metadata
        positions = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
    }

    /// The tensor's own bytes as floats, when they are Float32 in a place where a float may lie.
    package func floatsInPlace(_ tensor: StoredTensor) -> Floats? {
        let address = region.base + tensor.range.lowerBound
        guard tensor.type == .float32, UInt(bitPattern: address) % 4 == 0 else { return nil }
        return address.assumingMemoryBound(to: Float.self)
    }

    package func decode(_ tensor: StoredTensor, into target: Floats) {
        tensor.type.decode(region.base + tensor.range.lowerBound, count: tensor.count, into: target)
    }

    /// Copies a tensor as floats and lets go of its bytes in the file. Not for one that is used
    /// in place: what was written there would be lost.
    package func move(_ tensor: StoredTensor, into target: Floats) {
        decode(tensor, into: target)
        region.letGo(tensor.range)
    }
}

private struct HeaderReader {
    let path: String
    let region: MemoryRegion

    func broken(_ problem: String) -> TrainingError {
        .file(
            path: path, problem: "is not a whole safetensors file: \(problem)",
            hint: "fetch or save it again")
    }

    func read() throws -> (tensors: [StoredTensor], metadata: [String: String]) {
        guard region.count >= 8 else {
            throw broken("\(region.count) bytes are too few for the header's length")
        }
        let stated = UInt64(littleEndian: region.base.loadUnaligned(as: UInt64.self))
        guard let length = Int(exactly: stated), length <= region.count - 8 else {
            throw broken(
                "the header is said to have \(stated) bytes, the file has \(region.count)")
        }
        guard length <= 100_000_000 else {
            throw broken("a header of \(length) bytes is larger than the format allows")
        }
        let bytes = UnsafeBufferPointer(
            start: (region.base + 8).assumingMemoryBound(to: UInt8.self), count: length)
        guard bytes.first == UInt8(ascii: "{") else {
            throw broken("the header does not start with '{'")
        }
        let header: JSONObject
        do {
            guard let object = try JSONValue.parse(utf8: bytes).objectValue else {
                throw broken("the header is not an object")
            }
            header = object
        } catch let error as JSONError {
            throw broken("the header is not valid JSON (\(error))")
        }
        if let name = firstDuplicate(bytes) {
            throw broken("tensor '\(name)' is listed twice")
        }
        var metadata: [String: String] = [:]
        var tensors: [StoredTensor] = []
        for (name, value) in header {
            if name == "__metadata__" {
                for (key, text) in value.objectValue ?? [:] { metadata[key] = text.stringValue }
            } else {
                tensors.append(try tensor(name, value, dataStart: 8 + length))
            }
        }
        try checkCoverage(tensors, dataStart: 8 + length)
        return (tensors, metadata)
    }

    private func tensor(_ name: String, _ value: JSONValue, dataStart: Int) throws -> StoredTensor {
        guard let typeName = value["dtype"]?.stringValue else {
            throw broken("tensor '\(name)' has no dtype")
        }
        guard let type = TensorType(rawValue: typeName) else {
            throw broken("tensor '\(name)' has the unknown dtype '\(typeName)'")
        }
        guard let dimensions = value["shape"]?.arrayValue else {
            throw broken("tensor '\(name)' has no shape")
        }
        var count = 1
        var shape: [Int] = []
        for dimension in dimensions {
            guard let size = dimension.intValue, size >= 0 else {
                throw broken("tensor '\(name)' has the dimension \(dimension)")
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow else { throw broken("tensor '\(name)' is larger than any memory") }
            count = product
            shape.append(size)
        }
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: type.size)
        guard !overflow else { throw broken("tensor '\(name)' is larger than any memory") }
        guard let offsets = value["data_offsets"]?.arrayValue, offsets.count == 2,
            let begin = offsets[0].intValue, let end = offsets[1].intValue, begin >= 0, end >= begin
        else { throw broken("tensor '\(name)' has no valid data_offsets") }
        guard end <= region.count - dataStart else {
            throw broken(
                "tensor '\(name)' ends at byte \(end) of the data, which has "
                    + "\(region.count - dataStart); the file was cut short or its header is wrong")
        }
        guard end - begin == byteCount else {
            throw broken(
                "tensor '\(name)' of shape \(shape) and type \(typeName) needs \(byteCount) bytes, "
                    + "its data_offsets span \(end - begin)")
        }
        return StoredTensor(
            name: name, type: type, shape: shape, count: count,
            range: dataStart + begin..<dataStart + end)
    }

    private func checkCoverage(_ tensors: [StoredTensor], dataStart: Int) throws {
        var place = dataStart
        let sorted = tensors.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        for tensor in sorted {
            if tensor.range.lowerBound < place {
                throw broken("tensor '\(tensor.name)' overlaps the one before it")
            }
            if tensor.range.lowerBound > place {
                throw broken(
                    "\(tensor.range.lowerBound - place) bytes before tensor '\(tensor.name)' "
                        + "belong to no tensor")
            }
            place = tensor.range.upperBound
        }
        guard place == region.count else {
            throw broken("\(region.count - place) bytes at its end belong to no tensor")
        }
    }

    /// The first key that occurs twice at the top of the header; parsed objects keep only one.
    private func firstDuplicate(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        var seen: Set<String> = []
        var depth = 0
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                let start = index
                index += 1
                while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                    index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                // At the top only keys are strings: values are objects.
                guard depth == 1, index < bytes.count else { break }
                let text = UnsafeBufferPointer(rebasing: bytes[start...index])
                let key = (try? JSONValue.parse(utf8: text))?.stringValue ?? ""
                if !seen.insert(key).inserted { return key }
            default: break
            }
            index += 1
        }
        return nil
    }
}
