/// The normaliser of BERT's tokenizers: cleans white space and control characters, sets Chinese
/// characters apart, strips accents, lowers case.
///
/// What becomes of a code point is worked out once, for all of them, and looked up from then on.
/// Only text with combining characters that survive accent stripping needs its neighbours, because
/// canonical decomposition sorts them; it takes ``normalizeInOrder(_:into:)``.
/// Same result as `tokenizers.normalizers.BertNormalizer`, checked by `BertNormalizerTests` for
/// every code point.
package struct BertNormalizer: Sendable {
    package struct Flags: Sendable, Equatable {
        package var cleanText = true
        package var handleChineseChars = true
        /// `nil` follows `lowercase`.
        package var stripAccents: Bool?
        package var lowercase = true

        package init(
            cleanText: Bool = true, handleChineseChars: Bool = true, stripAccents: Bool? = nil,
            lowercase: Bool = true
        ) {
            self.cleanText = cleanText
            self.handleChineseChars = handleChineseChars
            self.stripAccents = stripAccents
            self.lowercase = lowercase
        }
    }

    package let flags: Flags
    private let stripsAccents: Bool
    /// An ``Action``, with the place and length of its text in `texts`.
    private let actions: CodePointTable
    private let texts: [UInt8]
    /// What an ASCII character becomes; 0 drops it.
    private let ascii: [UInt8]
    /// Only when accents are stripped.
    private let decomposition: Decomposition?

    /// The low 4 bits of a table value; above them 5 bits of length and 23 bits of place.
    private enum Action {
        static let copy: UInt32 = 0
        static let drop: UInt32 = 1
        static let setApart: UInt32 = 2
        static let replace: UInt32 = 3
        static let decomposeHangul: UInt32 = 4
        /// Combining classes matter.
        static let sort: UInt32 = 5
    }

    package init(_ flags: Flags) {
        self.flags = flags
        stripsAccents = flags.stripAccents ?? flags.lowercase
        let lowercase = flags.lowercase ? LowercaseMapping() : nil
        let decomposition = stripsAccents ? Decomposition() : nil
        var actions = CodePointTable(repeating: Action.copy)
        var texts: [UInt8] = []

        func replacement(_ codePoints: [UInt32]) -> UInt32 {
            let start = texts.count
            for codePoint in codePoints { texts.appendUTF8(codePoint) }
            return codePoints.isEmpty
                ? Action.drop
                : UInt32(start) << 9 | UInt32(texts.count - start) << 4 | Action.replace
        }
        func lowered(_ codePoint: UInt32) -> [UInt32] {
            lowercase.map { $0[codePoint] } ?? [codePoint]
        }

        // Later steps win over earlier ones.
        lowercase?.forEach { actions.set($0, to: replacement($1)) }
        if flags.handleChineseChars {
            actions.set(pairs: UnicodeTables.ideographs, to: Action.setApart)
        }
        if let decomposition {
            actions.set(pairs: UnicodeTables.nonspacingMarks, to: Action.drop)
            for index in stride(from: 0, to: UnicodeTables.combiningClasses.count, by: 3) {
                let first = UnicodeTables.combiningClasses[index]
                for point in first...UnicodeTables.combiningClasses[index + 1]
                where !decomposition.isMark(point) {
                    actions.set(point, to: Action.sort)
                }
            }
            for (point, parts) in decomposition.all {
                let kept = parts.filter { !decomposition.isMark($0) }
                if kept.contains(where: { decomposition.combiningClass($0) != 0 }) {
                    actions.set(point, to: Action.sort)
                    continue
                }
                var result = kept.flatMap(lowered)
                if actions[point] == Action.setApart { result = [0x20] + result + [0x20] }
                actions.set(point, to: replacement(result))
            }
            actions.set(
                Decomposition.hangulSyllables.lowerBound...Decomposition.hangulSyllables.upperBound,
                to: Action.decomposeHangul)
        }
        if flags.cleanText {
            actions.set(pairs: UnicodeTables.spaces, to: replacement([0x20]))
            actions.set(pairs: UnicodeTables.removed, to: Action.drop)
        }
        self.actions = actions
        self.texts = texts
        self.decomposition = decomposition
        ascii = (0..<128).map { (point: UInt32) in
            switch actions[point] & 0xf {
            case Action.drop: 0
            case Action.replace: texts[Int(actions[point] >> 9)]
            default: UInt8(point)
            }
        }
    }

    /// Replaces `output` by the normalised form of valid UTF-8.
    package func normalize(_ text: UnsafeBufferPointer<UInt8>, into output: inout [UInt8]) {
        output.removeAll(keepingCapacity: true)
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte < 0x80 {
                let replacement = ascii[Int(byte)]
                if replacement != 0 || (byte == 0 && !flags.cleanText) {
                    output.append(replacement)
                }
                index += 1
                continue
            }
            let start = index
            let codePoint = decodeUTF8(text, &index)
            let value = actions[codePoint]
            switch value & 0xf {
            case Action.copy:
                for byte in start..<index { output.append(text[byte]) }
            case Action.drop:
                break
            case Action.setApart:
                output.append(0x20)
                for byte in start..<index { output.append(text[byte]) }
                output.append(0x20)
            case Action.replace:
                let place = Int(value >> 9)
                for byte in place..<(place + Int(value >> 4 & 0x1f)) {
                    output.append(texts[byte])
                }
            case Action.decomposeHangul:
                Decomposition.forEachJamo(of: codePoint) { output.appendUTF8($0) }
            default:
                normalizeInOrder(text, into: &output)
                return
            }
        }
    }

    /// The same step by step over the whole text.
    private func normalizeInOrder(
        _ text: UnsafeBufferPointer<UInt8>, into output: inout [UInt8]
    ) {
        output.removeAll(keepingCapacity: true)
        var points: [UInt32] = []
        let removed = flags.cleanText ? UnicodeTables.removed : []
        let spaces = flags.cleanText ? UnicodeTables.spaces : []
        let ideographs = flags.handleChineseChars ? UnicodeTables.ideographs : []
        var index = 0
        while index < text.count {
            let point = decodeUTF8(text, &index)
            if contains(removed, point) { continue }
            if contains(spaces, point) {
                points.append(0x20)
            } else if contains(ideographs, point) {
                points += [0x20, point, 0x20]
            } else {
                points.append(point)
            }
        }
        if let decomposition {
            points = decomposition.decompose(points).filter { !decomposition.isMark($0) }
        }
        let lowercase = flags.lowercase ? LowercaseMapping() : nil
        for point in points {
            for result in lowercase.map({ $0[point] }) ?? [point] { output.appendUTF8(result) }
        }
    }

    private func contains(_ pairs: [UInt32], _ point: UInt32) -> Bool {
        stride(from: 0, to: pairs.count, by: 2).contains {
            pairs[$0] <= point && point <= pairs[$0 + 1]
        }
    }
}
