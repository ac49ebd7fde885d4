// Names and values are told apart by their bytes, as in Python. Swift's String takes é and e with a
// combining accent for equal, and in a Set or a Dictionary one of the two would be lost.

/// A text that is hashed and compared by its UTF-8.
package struct UTF8Key: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (left: UTF8Key, right: UTF8Key) -> Bool {
        left.text.hasSameUTF8(as: right.text)
    }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension String {
    /// Equal texts by Swift's quick comparison, which takes more for equal, and by their bytes.
    package func hasSameUTF8(as other: String) -> Bool {
        self == other && utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }

    /// The order of the bytes, which is that of the code points and Python's.
    package func precedesInUTF8(_ other: String) -> Bool {
        utf8.lexicographicallyPrecedes(other.utf8)
    }
}

extension Collection where Element == String {
    /// The place of a text of the same bytes.
    package func place(of text: String) -> Index? { firstIndex { $0.hasSameUTF8(as: text) } }

    package func hasText(_ text: String) -> Bool { place(of: text) != nil }

    /// Whether the texts are the same, in the same order.
    package func hasSameTexts(as others: some Collection<String>) -> Bool {
        elementsEqual(others) { $0.hasSameUTF8(as: $1) }
    }
}
