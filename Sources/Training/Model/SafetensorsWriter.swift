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
