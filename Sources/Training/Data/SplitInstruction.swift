/// Which rows of which splits: the text given as `split`, such as `train[:10%]+test[5:]`.
///
/// The grammar and its rounding are those of `datasets.ReadInstruction`: parts joined by `+`, each
/// `name`, `name[from:to]` or `name[from%:to%]`, bounds counted from 0, negative ones from the end,
/// and after percentages `(pct1_dropremainder)` for shares that add up.
public struct SplitInstruction: Sendable {
    struct Part: Sendable {
        var name: String
        var from: Int?
        var to: Int?
        var isPercent = false
        var dropsRemainder = false
    }

    /// The text it was read from.
    public let specification: String
    let parts: [Part]

    /// Names of the splits, in order.
    public var names: [String] { parts.map(\.name) }

    public init(_ specification: String) throws {
        self.specification = specification
        parts = try specification.unicodeScalars
            .split(separator: "+", omittingEmptySubsequences: false)
            .enumerated().map { index, text in
                // Space is allowed around the plus signs alone.
                let isFirst = index == 0
                var text = Substring(text)
                if !isFirst { text = text.drop(while: \.isWhitespace) }
                if specification.contains("+") {
                    while text.last?.isWhitespace == true { text.removeLast() }
                }
                return try Self.part(text, specification)
            }
        // The first part speaks for the sum, as in Python.
        for part in parts.dropFirst()
        where parts[0].isPercent && part.isPercent
            && parts[0].dropsRemainder != part.dropsRemainder
        {
            throw Self.problem(
                specification, "parts with different rounding can't be added",
                "write (pct1_dropremainder) after every part or after none")
        }
    }

    /// The row ranges of the parts, in order; ranges may be empty or overlap.
    func ranges(_ counts: [UTF8Key: Int]) throws -> [(name: String, rows: Range<Int>)] {
        var result: [(name: String, rows: Range<Int>)] = []
        for part in parts {
            guard let count = counts[UTF8Key(part.name)] else { continue }
            var from = part.from.map { Double($0) } ?? 0
            var to = part.to.map { Double($0) } ?? Double(count)
            if part.isPercent {
                if part.dropsRemainder, count < 100, part.from != nil || part.to != nil {
                    throw Self.problem(
                        specification,
                        "pct1_dropremainder needs at least 100 rows, '\(part.name)' has \(count)",
                        "leave (pct1_dropremainder) out")
                }
                func rows(_ percent: Int) -> Double {
                    part.dropsRemainder
                        ? Double(percent) * Double(count / 100)
                        : (Double(percent) * Double(count) / 100).rounded(.toNearestOrEven)
                }
                from = part.from.map(rows) ?? 0
                to = part.to.map(rows) ?? Double(count)
            }
            func clamp(_ bound: Double) -> Int {
                let fromStart = bound < 0 ? max(Double(count) + bound, 0) : bound
                return Int(min(fromStart, Double(count)))
            }
            let (start, end) = (clamp(from), clamp(to))
            // As in Python: bounds that cross give no rows, bounds that meet give no part.
            if start == end { continue }
            result.append((part.name, start..<max(start, end)))
        }
        guard !result.isEmpty else {
            throw Self.problem(
                specification, "corresponds to no data", "widen the slice or check the file")
        }
        return result
    }

    private static func part(_ text: Substring, _ specification: String) throws -> Part {
        func malformed(_ problem: String) -> TrainingError {
            Self.problem(
                specification, problem, "write it like 'train', 'train[:1000]' or 'train[10%:20%]'")
        }
        var rest = text[...]
        let name = String(rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." })
        guard !name.isEmpty, !name.hasPrefix("."), !name.hasSuffix("."), !name.contains("..") else {
            throw malformed("'\(text)' does not start with the name of a split")
        }
        rest.removeFirst(name.count)
        var part = Part(name: name)
        if rest.first == "[" {
            rest.removeFirst()
            guard let end = rest.firstIndex(of: "]") else {
                throw malformed("'\(text)' has no closing bracket")
            }
            let bounds = rest[..<end].split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard bounds.count == 2 else { throw malformed("'\(text)' has no ':' in its slice") }
            var percents = [false, false]
            func bound(_ text: Substring, _ place: Int) throws -> Int? {
                var text = text
                if text.isEmpty { return nil }
                if text.last == "%" {
                    percents[place] = true
                    text.removeLast()
                }
                guard let value = integer(text) else {
                    throw malformed("'\(text)' is no integer")
                }
                return value
            }
            part.from = try bound(bounds[0], 0)
            part.to = try bound(bounds[1], 1)
            part.isPercent = percents.contains(true)
            if part.isPercent,
                let wrong = [part.from, part.to].compactMap(\.self).first(where: {
                    !(-100...100).contains($0)
                })
            {
                throw malformed("\(wrong)% is not between -100% and 100%")
            }
            rest = rest[rest.index(after: end)...]
        }
        if rest.first == "(", rest.last == ")" {
            let rounding = rest.dropFirst().dropLast()
            guard part.isPercent else {
                throw malformed("'\(rounding)' rounds percentages, and there is none")
            }
            guard ["closest", "pct1_dropremainder"].contains(rounding) else {
                throw malformed(
                    "the rounding '\(rounding)' is neither 'closest' nor 'pct1_dropremainder'")
            }
            part.dropsRemainder = rounding == "pct1_dropremainder"
            rest = rest[rest.endIndex...]
        }
        guard rest.isEmpty else { throw malformed("'\(rest)' is left over in '\(text)'") }
        return part
    }

    /// Python's `int()` for these texts: a sign, digits, single underscores between digits.
    private static func integer(_ text: Substring) -> Int? {
        let digits = text.first == "-" ? text.dropFirst() : text
        let isWellFormed =
            !digits.isEmpty && !digits.hasPrefix("_") && !digits.hasSuffix("_")
            && !digits.contains("__")
            && digits.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
            }
        return isWellFormed ? Int(text.filter { $0 != "_" }) : nil
    }

    private static func problem(
        _ specification: String, _ problem: String, _ hint: String
    ) -> TrainingError {
        .argument(
            owner: "load_dataset", name: "split", problem: "'\(specification)': \(problem)",
            hint: hint)
    }
}
