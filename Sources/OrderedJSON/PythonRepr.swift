/// What Python's `repr(float)` shows: the shortest digits that read back as the same double, with
/// an exponent below 1e-04 and from 1e+16 on (`5.0`, `1e-07`, `1.5e+300`, `nan`, `-inf`).
public func pythonRepr(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    // Swift finds the same shortest digits, only the notation differs.
    var digits: [UInt8] = []
    var pointPosition: Int?
    var exponent = 0
    var text = value.description.utf8[...]
    let isNegative = text.first == UInt8(ascii: "-")
    if isNegative { text = text.dropFirst() }
    while let byte = text.popFirst() {
        switch byte {
        case UInt8(ascii: "."): pointPosition = digits.count
        case UInt8(ascii: "e"):
            exponent = Int(Substring(text)) ?? 0
            text = text[text.endIndex...]
        default: digits.append(byte)
        }
    }
    // value = 0.d1d2d3… · 10^position
    var position = (pointPosition ?? digits.count) + exponent
    let leadingZeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
    digits.removeFirst(leadingZeros)
    position -= leadingZeros
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    let sign = isNegative ? "-" : ""
    guard !digits.isEmpty else { return sign + "0.0" }
    func string(_ slice: ArraySlice<UInt8>) -> String { String(decoding: slice, as: UTF8.self) }
    func zeros(_ count: Int) -> String { String(repeating: "0", count: count) }
    switch position {
    case -3...0:
        return sign + "0." + zeros(-position) + string(digits[...])
    case 1...16:
        if digits.count <= position {
            return sign + string(digits[...]) + zeros(position - digits.count) + ".0"
        }
        return sign + string(digits[..<position]) + "." + string(digits[position...])
    default:
        let fraction = digits.count > 1 ? "." + string(digits[1...]) : ""
        let power = String(abs(position - 1))
        let padded = power.utf8.count < 2 ? "0" + power : power
        return sign + string(digits[..<1]) + fraction + "e" + (position < 1 ? "-" : "+") + padded
    }
}
