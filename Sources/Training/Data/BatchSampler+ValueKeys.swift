import OrderedJSON

/// Numbers for the values of some columns: equal values, whatever their column, have equal keys.
///
/// Values are compared by their text, as Python's sampler compares `str(value)`; texts byte by byte,
/// so two ways to encode one accent stay different.
package struct ValueKeys: Sendable {
    package let rows: Int
    package let columns: Int
    /// Number of different keys, which are 0 ..< count in the order of first appearance.
    package let count: Int
    private let keys: [Int32]

    /// Keys of the given columns of a dataset.
    package init(_ dataset: Dataset, columns names: [String]) throws {
        let columns = try names.map(dataset.requireColumn)
        self.init(rows: dataset.numRows, columns: columns.count) { row, column, take in
            let source = columns[column]
            if source.withUTF8(at: row, { take($0) }) == nil {
                var text = source.value(at: row).json()
                text.withUTF8 { take($0) }
            }
        }
    }

    /// Keys of values given as texts.
    package init(texts: [[String]]) {
        self.init(rows: texts.first?.count ?? 0, columns: texts.count) { row, column, take in
            var text = texts[column][row]
            text.withUTF8 { take($0) }
        }
    }

    private init(
        rows: Int, columns: Int,
        value: (_ row: Int, _ column: Int, _ take: (UnsafeBufferPointer<UInt8>) -> Void) -> Void
    ) {
        var known: [[UInt8]: Int32] = [:]
        var keys: [Int32] = []
        keys.reserveCapacity(rows * columns)
        for row in 0..<rows {
            for column in 0..<columns {
                value(row, column) { bytes in
                    let next = Int32(truncatingIfNeeded: known.count)
                    keys.append(
                        known[Array(bytes), default: next])
                    if keys.last == next { known[Array(bytes)] = next }
                }
            }
        }
        self.rows = rows
        self.columns = columns
        self.keys = keys
        count = known.count
    }

    /// The keys of one row.
    package subscript(row row: Int) -> ArraySlice<Int32> {
        keys[row * columns..<(row + 1) * columns]
    }
}
