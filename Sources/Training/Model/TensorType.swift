/// Element types of safetensors files.
package enum TensorType: String, Sendable, CaseIterable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int64 = "I64"
    case int32 = "I32"
    case int16 = "I16"
    case int8 = "I8"
    case uint64 = "U64"
    case uint32 = "U32"
    case uint16 = "U16"
    case uint8 = "U8"
    case bool = "BOOL"
    case float8E4M3 = "F8_E4M3"
    case float8E5M2 = "F8_E5M2"

    /// Bytes of one element.
    package var size: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .int8, .uint8, .bool, .float8E4M3, .float8E5M2: 1
        }
    }

    /// Whether ``decode`` and ``encode`` know it.
    package var isTrainable: Bool { self == .float32 || self == .float16 || self == .bfloat16 }

    /// Widens `count` elements to Float32; `source` need not be aligned.
    package func decode(_ source: UnsafeRawPointer, count: Int, into target: Floats) {
        switch self {
        case .float16:
            for index in 0..<count {
                let bits = source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                target[index] = Float(Float16(bitPattern: UInt16(littleEndian: bits)))
            }
        case .bfloat16:
            for index in 0..<count {
                let bits = source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                target[index] = Float(bitPattern: UInt32(UInt16(littleEndian: bits)) << 16)
            }
        default:
            UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: 4 * count)
        }
    }

    /// Whether all of `count` floats are the same numbers in this type.
    package func holds(_ values: ConstFloats, count: Int) -> Bool {
        if self == .float32 { return true }
        return (0..<count).allSatisfy { index in
            switch self {
            case .float16: Float(Float16(values[index])).bitPattern == values[index].bitPattern
            case .bfloat16: values[index].bitPattern & 0xffff == 0
            default: false
            }
        }
    }

    /// The bytes of `count` floats in this type, rounded to nearest, ties to even.
    package func encode(_ source: ConstFloats, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * size)
        func append(_ half: UInt16) {
            bytes.append(UInt8(truncatingIfNeeded: half))
            bytes.append(UInt8(truncatingIfNeeded: half >> 8))
        }
        switch self {
        case .float16:
            for index in 0..<count { append(Float16(source[index]).bitPattern) }
        case .bfloat16:
            for index in 0..<count {
                let bits = source[index].bitPattern
                if source[index].isNaN {
                    append(UInt16(truncatingIfNeeded: bits >> 16) | 0x40)
                } else {
                    append(UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16))
                }
            }
        default:
            let raw = UnsafeRawBufferPointer(start: source, count: count * 4)
            bytes.append(contentsOf: raw)
        }
        return bytes
    }
}
