/// A pattern for paths, as fsspec's glob reads it: `*` and `?` within a name, `[...]`, and `**` as
/// a whole part for any number of folders (at the end, for everything below).
struct FilePattern {
    let text: String
    private let parts: [[UInt8]]

    init(_ text: String) {
        // "./data/*.csv" means the same as "data/*.csv".
        var body = text[...]
        while body.hasPrefix("./") { body = body.dropFirst(2) }
        self.text = String(body)
        parts = body.utf8.split(separator: UInt8(ascii: "/")).map(Array.init)
    }

    /// Whether a text is a pattern and not a name.
    static func isPattern(_ text: String) -> Bool {
        text.utf8.contains { "*?[".utf8.contains($0) }
    }

    /// Those of some paths that match, without hidden files and folders and those that start with
    /// "__" unless the pattern names them, and without files that are no data.
    func matches(_ paths: [String]) -> [String] {
        let ignored = Self.ignored.subtracting([Self.name(text)])
        return paths.filter { path in
            !ignored.contains(Self.name(path)) && matches(path)
                && Self.count(path, dropsName: false, Self.isHidden)
                    == Self.count(text, dropsName: false, Self.isHidden)
                && Self.count(path, dropsName: true) { $0.hasPrefix("__") }
                    == Self.count(text, dropsName: true) { $0.hasPrefix("__") }
        }
    }

    private static let ignored: Set<String> = [
        "README.md", "config.json", "dataset_info.json", "dataset_infos.json", "dummy_data.zip",
        "dataset_dict.json",
    ]

    private static func name(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    private static func isHidden(_ part: Substring) -> Bool {
        part.hasPrefix(".") && part.contains { $0 != "." }
    }

    private static func count(
        _ path: String, dropsName: Bool, _ isSpecial: (Substring) -> Bool
    ) -> Int {
        let parts = path.split(separator: "/")
        return (dropsName ? parts.dropLast() : parts[...]).count(where: isSpecial)
    }

    // MARK: Matching

    private func matches(_ path: String) -> Bool {
        let names = path.utf8.split(separator: UInt8(ascii: "/")).map(Array.init)
        // reachable[j]: the parts so far match the first j names. Linear for each part, so that
        // many stars cost no more than their number.
        var reachable = [Bool](repeating: false, count: names.count + 1)
        reachable[0] = true
        for (index, part) in parts.enumerated() {
            var next = [Bool](repeating: false, count: names.count + 1)
            if part == Array("**".utf8) {
                let isLast = index == parts.count - 1
                var isReached = false
                for place in 0...names.count {
                    // At the end at least one name must be left.
                    if isLast, place > 0, reachable[place - 1] { isReached = true }
                    if !isLast, reachable[place] { isReached = true }
                    next[place] = isReached
                }
            } else {
                for place in 0..<names.count where reachable[place] {
                    next[place + 1] = Self.matches(part, names[place])
                }
            }
            reachable = next
        }
        return reachable[names.count]
    }

    /// One name against one part: stars go back to the last one only.
    private static func matches(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
        var (p, n) = (0, 0)
        var star: (pattern: Int, name: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = (p, n)
                p += 1
                continue
            }
            if p < pattern.count, let length = matchesOne(pattern, p, name[n]) {
                p += length
                n += 1
                continue
            }
            guard let last = star else { return false }
            star = (last.pattern, last.name + 1)
            p = last.pattern + 1
            n = last.name + 1
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// How long the pattern's piece is that matches one byte; nil when it does not.
    private static func matchesOne(_ pattern: [UInt8], _ start: Int, _ byte: UInt8) -> Int? {
        if pattern[start] == UInt8(ascii: "?") { return 1 }
        guard pattern[start] == UInt8(ascii: "["),
            let set = characterSet(pattern, start)
        else { return pattern[start] == byte ? 1 : nil }
        return set.ranges.contains { $0.contains(byte) } != set.isNegated ? set.length : nil
    }

    /// "[-._ 0-9]"; nil for a bracket without end, which stands for itself.
    private static func characterSet(
        _ pattern: [UInt8], _ start: Int
    ) -> (ranges: [ClosedRange<UInt8>], isNegated: Bool, length: Int)? {
        var place = start + 1
        let isNegated = place < pattern.count && pattern[place] == UInt8(ascii: "!")
        if isNegated { place += 1 }
        let first = place
        var ranges: [ClosedRange<UInt8>] = []
        while place < pattern.count {
            let byte = pattern[place]
            if byte == UInt8(ascii: "]"), place > first {
                return (ranges, isNegated, place + 1 - start)
            }
            if place + 2 < pattern.count, pattern[place + 1] == UInt8(ascii: "-"),
                pattern[place + 2] != UInt8(ascii: "]")
            {
                if byte <= pattern[place + 2] { ranges.append(byte...pattern[place + 2]) }
                place += 3
            } else {
                ranges.append(byte...byte)
                place += 1
            }
        }
        return nil
    }
}
