// Writes safetensors files as Python's library does: larger types first, then by name, header
// padded with blanks to a multiple of 8.
package import OrderedJSON

/// One tensor to write: values are Float32 in memory, `type` is what the file gets.
package struct TensorToWrite {
    let name: String
    let type: TensorType
    let shape: [Int]
    let values: ConstFloats

    package init(name: String, type: TensorType, shape: [Int], values: ConstFloats) {
        self.name = name
        self.type = type
        self.shape = shape
        self.values = values
    }

    var count: Int { shape.reduce(1, *) }
}

/// Replaces the file at `path` in one step.
///
/// `metadata`: transformers notes the format there, sentence-transformers' own modules nothing.
package func writeSafetensors(
    _ tensors: [TensorToWrite], to path: String, metadata: JSONObject? = ["format": "pt"]
) throws {
    let (text, sorted) = safetensorsHeader(tensors, metadata: metadata)
    try ModelFiles.writeAtomically(path) { writer in
        let length = UInt64(text.count).littleEndian
        try withUnsafeBytes(of: length) { try writer.write($0) }
        try text.withUnsafeBytes { try writer.write($0) }
        for tensor in sorted {
            if tensor.type == .float32 {
                try writer.write(
                    UnsafeRawBufferPointer(start: tensor.values, count: 4 * tensor.count))
            } else {
                try tensor.type.encode(tensor.values, count: tensor.count).withUnsafeBytes {
                    try writer.write($0)
                }
            }
        }
    }
}

/// The same file in memory, for ``SafetensorsFile``. All tensors are Float32.
func safetensorsRegion(_ tensors: [TensorToWrite]) throws -> MemoryRegion {
    let (text, sorted) = safetensorsHeader(tensors, metadata: nil)
    let bytes = sorted.reduce(8 + text.count) { $0 + 4 * $1.count }
    let region = try MemoryRegion.zeroed(bytes: bytes)
    region.base.storeBytes(of: UInt64(text.count).littleEndian, as: UInt64.self)
    text.withUnsafeBytes { source in
        if let start = source.baseAddress {
            (region.base + 8).copyMemory(from: start, byteCount: source.count)
        }
    }
    var place = 8 + text.count
    for tensor in sorted {
        (region.base + place).copyMemory(from: tensor.values, byteCount: 4 * tensor.count)
        place += 4 * tensor.count
    }
    return region
}

/// The header's text, padded, and the tensors in the order of their bytes.
private func safetensorsHeader(
    _ tensors: [TensorToWrite], metadata: JSONObject?
) -> (text: [UInt8], sorted: [TensorToWrite]) {
    let sorted = tensors.sorted { ($1.type.size, $0.name) < ($0.type.size, $1.name) }
    var header = JSONObject()
    if let metadata { header["__metadata__"] = .object(metadata) }
    var offset = 0
    for tensor in sorted {
        let end = offset + tensor.count * tensor.type.size
        header[tensor.name] = [
            "dtype": JSONValue(tensor.type.rawValue),
            "shape": .array(tensor.shape.map { JSONValue($0) }),
            "data_offsets": [JSONValue(offset), JSONValue(end)],
        ]
        offset = end
    }
    var text = Array(JSONValue.object(header).json(.compact).utf8)
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    return (text, sorted)
}
