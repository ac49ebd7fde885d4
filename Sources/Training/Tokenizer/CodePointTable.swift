/// A value for every code point, in pages of 256 that equal pages share.
struct CodePointTable: Sendable {
    private var pageOf: [UInt16]
    private var values: [UInt32]
    /// Pages that hold one value throughout, by that value.
    private var uniformPages: [UInt32: UInt16]
    private var isUniform: [Bool]

    init(repeating value: UInt32) {
        pageOf = [UInt16](repeating: 0, count: 0x11_0000 >> 8)
        values = [UInt32](repeating: value, count: 256)
        uniformPages = [value: 0]
        isUniform = [true]
    }

    /// The value of a code point below U+110000.
    @inline(__always)
    subscript(codePoint: UInt32) -> UInt32 {
        values[Int(pageOf[Int(codePoint >> 8)]) << 8 | Int(codePoint & 0xff)]
    }

    mutating func set(_ range: ClosedRange<UInt32>, to value: UInt32) {
        for page in Int(range.lowerBound >> 8)...Int(range.upperBound >> 8) {
            let first = UInt32(page) << 8
            if range.lowerBound <= first, range.upperBound >= first + 255 {
                pageOf[page] = uniformPage(value)
                continue
            }
            makeWritable(page)
            let start = Int(pageOf[page]) << 8
            for codePoint in max(range.lowerBound, first)...min(range.upperBound, first + 255) {
                values[start | Int(codePoint & 0xff)] = value
            }
        }
    }

    mutating func set(_ codePoint: UInt32, to value: UInt32) {
        set(codePoint...codePoint, to: value)
    }

    /// Pairs of first and last code point, as in ``UnicodeTables``.
    mutating func set(pairs: [UInt32], to value: UInt32) {
        for index in stride(from: 0, to: pairs.count, by: 2) {
            set(pairs[index]...pairs[index + 1], to: value)
        }
    }

    private mutating func uniformPage(_ value: UInt32) -> UInt16 {
        if let page = uniformPages[value] { return page }
        let page = addPage(repeatElement(value, count: 256), uniform: true)
        uniformPages[value] = page
        return page
    }

    private mutating func makeWritable(_ page: Int) {
        let shared = Int(pageOf[page])
        guard isUniform[shared] else { return }
        let copy = Array(values[shared << 8..<(shared + 1) << 8])
        pageOf[page] = addPage(copy, uniform: false)
    }

    private mutating func addPage(
        _ contents: some Collection<UInt32>, uniform: Bool
    ) -> UInt16 {
        values.append(contentsOf: contents)
        isUniform.append(uniform)
        return UInt16(isUniform.count - 1)
    }
}

/// Decodes the code point that starts at `index`, which must hold valid UTF-8, and moves past it.
@inline(__always)
func decodeUTF8(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> UInt32 {
    let first = UInt32(bytes[index])
    func next(_ offset: Int) -> UInt32 { UInt32(bytes[index + offset] & 0x3f) }
    switch first {
    case ..<0x80:
        index += 1
        return first
    case ..<0xe0:
        defer { index += 2 }
        return (first & 0x1f) << 6 | next(1)
    case ..<0xf0:
        defer { index += 3 }
        return (first & 0x0f) << 12 | next(1) << 6 | next(2)
    default:
        defer { index += 4 }
        return (first & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3)
    }
}

extension [UInt8] {
    /// Appends a code point that is no surrogate.
    mutating func appendUTF8(_ codePoint: UInt32) {
        if let scalar = Unicode.Scalar(codePoint) { append(contentsOf: scalar.utf8) }
    }
}
