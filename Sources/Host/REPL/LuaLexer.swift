// Tokens of Lua source up to the cursor, for completion; a chunk may end anywhere.

/// Splits source into what completion needs to know.
struct LuaLexer {
    struct Token: Equatable {
        enum Kind { case name, keyword, number, string, symbol }
        let kind: Kind
        let text: String
        /// Offsets in bytes of the source.
        let start: Int
        let end: Int
    }

    /// Where the source ends.
    enum End: Equatable {
        case code
        /// Within a string that began at this offset, or within a comment.
        case string(start: Int)
        case comment
    }

    static let keywords: Set<String> = [
        "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if",
        "in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
    ]

    private(set) var tokens: [Token] = []
    private(set) var end = End.code
    private let bytes: [UInt8]

    init(_ source: String) {
        bytes = Array(source.utf8)
        scan()
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
    static func isNameByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte >= 65 && byte <= 90 || byte >= 97 && byte <= 122 || byte == 95
    }

    private func byte(_ i: Int) -> UInt8 { i < bytes.count ? bytes[i] : 0 }

    private mutating func scan() {
        var i = 0
        while i < bytes.count {
            let c = bytes[i]
            if c <= 32 {
                i += 1
            } else if c == 45, byte(i + 1) == 45 {  // --
                if byte(i + 2) == 91, let level = longBracket(at: i + 2) {
                    guard let after = closeLong(from: i + 4 + level, level) else {
                        end = .comment
                        return
                    }
                    i = after
                } else {
                    guard let newline = bytes[i...].firstIndex(of: 10) else {
                        end = .comment
                        return
                    }
                    i = newline
                }
            } else if c == 34 || c == 39 {
                guard let after = closeString(from: i + 1, quote: c) else {
                    end = .string(start: i)
                    return
                }
                add(.string, i, after)
                i = after
            } else if c == 91, let level = longBracket(at: i) {
                guard let after = closeLong(from: i + 2 + level, level) else {
                    end = .string(start: i)
                    return
                }
                add(.string, i, after)
                i = after
            } else if Self.isDigit(c) {
                var j = i
                while j < bytes.count, Self.isNameByte(bytes[j]) || bytes[j] == 46 { j += 1 }
                add(.number, i, j)
                i = j
            } else if Self.isNameByte(c) {
                var j = i
                while j < bytes.count, Self.isNameByte(bytes[j]) { j += 1 }
                let text = String(decoding: bytes[i..<j], as: UTF8.self)
                add(Self.keywords.contains(text) ? .keyword : .name, i, j)
                i = j
            } else {
                let pair = String(decoding: bytes[i..<min(i + 2, bytes.count)], as: UTF8.self)
                let length = ["..", "==", "~=", "<=", ">=", "//", "::"].contains(pair) ? 2 : 1
                add(.symbol, i, i + length)
                i += length
            }
        }
    }

    private mutating func add(_ kind: Token.Kind, _ start: Int, _ end: Int) {
        let text = String(decoding: bytes[start..<end], as: UTF8.self)
        tokens.append(Token(kind: kind, text: text, start: start, end: end))
    }

    private func closeString(from start: Int, quote: UInt8) -> Int? {
        var i = start
        while i < bytes.count {
            if bytes[i] == 92 {
                i += 2
            } else if bytes[i] == quote || bytes[i] == 10 {
                return i + 1
            } else {
                i += 1
            }
        }
        return nil
    }

    /// The number of '=' of a long bracket that opens at `i`.
    private func longBracket(at i: Int) -> Int? {
        var j = i + 1
        while byte(j) == 61 { j += 1 }
        return byte(j) == 91 ? j - i - 1 : nil
    }

    private func closeLong(from start: Int, _ level: Int) -> Int? {
        var i = start
        while i < bytes.count {
            if bytes[i] == 93 {
                var j = i + 1
                while byte(j) == 61 { j += 1 }
                if byte(j) == 93, j - i - 1 == level { return j + 1 }
            }
            i += 1
        }
        return nil
    }
}
