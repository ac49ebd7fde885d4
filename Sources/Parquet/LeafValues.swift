/// The values of a leaf that are there, one after the other, without the nulls between them.
struct LeafValues: ~Copyable {
    enum Kind {
        case bool, integer, float, string
    }

    let kind: Kind
    var bools: [Bool] = []
    var integers: [Int64] = []
    var floats: [Double] = []
    var strings = PackedStringsBuilder()
    /// Value `i` is text `positions[i]`, as soon as a page refers to a dictionary; before that
    /// values and texts are in step.
    var positions: [UInt32]?
    /// Text at which the dictionary starts in `strings`, once it has been needed.
    var dictionaryStart: Int?

    init(kind: Kind) { self.kind = kind }

    var count: Int {
        switch kind {
        case .bool: bools.count
        case .integer: integers.count
        case .float: floats.count
        case .string: positions?.count ?? strings.count
        }
    }

    /// Gives texts that were appended in order their positions, from `first` on.
    mutating func positionNewTexts(from first: Int) throws(Malformed) {
        guard positions != nil else { return }
        guard let end = UInt32(exactly: strings.count) else {
            throw .unsupported("more than 4 billion texts in a row group", "write smaller ones")
        }
        positions?.append(contentsOf: UInt32(truncatingIfNeeded: first)..<end)
    }

    mutating func startPositions() throws(Malformed) {
        guard positions == nil else { return }
        guard let end = UInt32(exactly: strings.count) else {
            throw .unsupported("more than 4 billion texts in a row group", "write smaller ones")
        }
        positions = Array(0..<end)
    }

    /// The values with nulls put where `isThere` is false; without it as they are.
    consuming func finish(isThere: [Bool]?) throws(Malformed) -> ParquetArray {
        let kind = kind
        guard let isThere else {
            let count = self.count
            return ParquetArray(count: count, values: finishDense(), isNull: nil)
        }
        func spread<Value>(_ values: [Value], _ empty: Value) -> [Value] {
            var next = 0
            return [Value](unsafeUninitializedCapacity: isThere.count) { buffer, count in
                for (index, there) in isThere.enumerated() {
                    if there, next < values.count {
                        buffer.initializeElement(at: index, to: values[next])
                        next += 1
                    } else {
                        buffer.initializeElement(at: index, to: empty)
                    }
                }
                count = isThere.count
            }
        }
        let values: ParquetArray.Values
        switch kind {
        case .bool: values = .bool(spread(bools, false))
        case .integer: values = .integer(spread(integers, 0))
        case .float: values = .float(spread(floats, 0))
        case .string:
            try startPositions()
            // Position 0 exists even where all values are null.
            if strings.count == 0 { strings.append(UnsafeRawBufferPointer(start: nil, count: 0)) }
            values = .string(strings.finish(), positions: spread(positions ?? [], 0))
        }
        return ParquetArray(
            count: isThere.count, values: values, isNull: isThere.map { !$0 })
    }

    private consuming func finishDense() -> ParquetArray.Values {
        switch kind {
        case .bool: return .bool(bools)
        case .integer: return .integer(integers)
        case .float: return .float(floats)
        case .string:
            let positions = positions
            return .string(strings.finish(), positions: positions)
        }
    }
}
