// Lower case and canonical decomposition from the generated tables.

/// The full lower case of single code points; no rule looks at neighbours.
struct LowercaseMapping: Sendable {
    private var differences: [UInt32: Int32] = [:]
    /// The only one that becomes two code points.
    private static let dottedCapitalI: UInt32 = 0x130

    init() {
        let runs = UnicodeTables.lowercase
        for index in stride(from: 0, to: runs.count, by: 4) {
            for point in stride(
                from: runs[index], through: runs[index + 1], by: Int(runs[index + 2]))
            {
                differences[UInt32(point)] = runs[index + 3]
            }
        }
    }

    subscript(point: UInt32) -> [UInt32] {
        if point == Self.dottedCapitalI { return [0x69, 0x307] }
        guard let difference = differences[point] else { return [point] }
        return [UInt32(Int32(point) + difference)]
    }

    /// Every code point that has a lower case.
    func forEach(_ body: (UInt32, [UInt32]) -> Void) {
        for point in differences.keys.sorted() { body(point, self[point]) }
        body(Self.dottedCapitalI, self[Self.dottedCapitalI])
    }
}

/// Canonical decomposition (NFD) and what belongs to it.
struct Decomposition: Sendable {
    static let hangulSyllables: ClosedRange<UInt32> = 0xac00...0xd7a3

    /// Full decompositions, Hangul left out.
    let all: [UInt32: [UInt32]]
    private let classes: [UInt32: UInt32]
    private let marks: Set<UInt32>

    init() {
        var all: [UInt32: [UInt32]] = [:]
        let table = UnicodeTables.decompositions
        var index = 0
        while index < table.count {
            let count = Int(table[index + 1])
            all[table[index]] = Array(table[(index + 2)..<(index + 2 + count)])
            index += 2 + count
        }
        self.all = all
        var classes: [UInt32: UInt32] = [:]
        let runs = UnicodeTables.combiningClasses
        for index in stride(from: 0, to: runs.count, by: 3) {
            for point in runs[index]...runs[index + 1] { classes[point] = runs[index + 2] }
        }
        self.classes = classes
        var marks = Set<UInt32>()
        for index in stride(from: 0, to: UnicodeTables.nonspacingMarks.count, by: 2) {
            let pairs = UnicodeTables.nonspacingMarks
            marks.formUnion(pairs[index]...pairs[index + 1])
        }
        self.marks = marks
    }

    func isMark(_ point: UInt32) -> Bool { marks.contains(point) }
    func combiningClass(_ point: UInt32) -> UInt32 { classes[point] ?? 0 }

    /// NFD: decomposes, then sorts runs of non-starters by class, keeping equals in order.
    func decompose(_ points: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        var runStart = 0
        func closeRun() {
            let run = result[runStart...].enumerated().sorted { left, right in
                let (leftClass, rightClass) = (
                    combiningClass(left.element), combiningClass(right.element)
                )
                return leftClass == rightClass
                    ? left.offset < right.offset : leftClass < rightClass
            }
            result.replaceSubrange(runStart..., with: run.map(\.element))
        }
        func append(_ point: UInt32) {
            if combiningClass(point) == 0 {
                if result.count - runStart > 1 { closeRun() }
                result.append(point)
                runStart = result.count
            } else {
                result.append(point)
            }
        }
        for point in points {
            if Self.hangulSyllables.contains(point) {
                Self.forEachJamo(of: point, append)
            } else if let parts = all[point] {
                parts.forEach(append)
            } else {
                append(point)
            }
        }
        if result.count - runStart > 1 { closeRun() }
        return result
    }

    /// The two or three jamo of a Hangul syllable (Unicode, section 3.12).
    @inline(__always)
    static func forEachJamo(of syllable: UInt32, _ body: (UInt32) -> Void) {
        let offset = syllable - hangulSyllables.lowerBound
        body(0x1100 + offset / 588)
        body(0x1161 + offset % 588 / 28)
        if offset % 28 != 0 { body(0x11a7 + offset % 28) }
    }
}
