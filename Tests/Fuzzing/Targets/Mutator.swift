// Changed copies of good files, the same for the same seed: bytes of many kinds, pieces of other
// files, and words of the format.

package struct Mutator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    /// xorshift64*.
    private mutating func next(_ limit: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int(truncatingIfNeeded: (state &* 0x2545_f491_4f6c_dd1d) >> 33) % max(limit, 1)
    }

    private static let words = [
        "{", "}", "[", "]", "\"", ",", ":", "null", "true", "-1", "1e999", "9223372036854775807",
        "18446744073709551616", "-0.0", "NaN", "\\ud800", "\\u0000", "\n", "\r\n", "\"\"",
        "\u{feff}",
        "é", "dtype", "F32", "data_offsets", "shape", "model", "vocab", "type", "PAR1", "[[[[[[[[",
    ]

    /// One to eight changes; `others` are files to take pieces from.
    package mutating func change(_ file: [UInt8], others: [[UInt8]]) -> [UInt8] {
        var bytes = file
        for _ in 0...next(8) {
            let place = next(bytes.count + 1)
            switch next(9) {
            case 0, 1: if place < bytes.count { bytes[place] ^= 1 << UInt8(next(8)) }
            case 2:
                if place < bytes.count {
                    bytes[place] = [0, 1, 0x7f, 0x80, 0xfe, 0xff][next(6)]
                }
            case 3: if place < bytes.count { bytes[place] = UInt8(next(256)) }
            case 4:
                let width = [2, 4, 8][next(3)]
                let value: UInt64 = [0, 1, 0x7fff_ffff, 0xffff_ffff, .max, 1 << 63][next(6)]
                for index in 0..<width where place + index < bytes.count {
                    bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
                }
            case 5: bytes.removeSubrange(place..<min(place + 1 + next(16), bytes.count))
            case 6:
                let end = min(place + 1 + next(64), bytes.count)
                bytes.insert(contentsOf: Array(bytes[place..<end]), at: next(bytes.count + 1))
            case 7: bytes.insert(contentsOf: Self.words[next(Self.words.count)].utf8, at: place)
            default:
                let other = others.isEmpty ? bytes : others[next(others.count)]
                let first = next(other.count + 1)
                let piece = other[first..<min(first + next(64), other.count)]
                bytes.replaceSubrange(
                    place..<min(place + piece.count, bytes.count), with: Array(piece))
            }
        }
        return bytes
    }
}
