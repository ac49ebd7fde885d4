// Sums of table rows: word + position + token type 0.
import CKernels

/// output[r] = words[ids[r]] + positions[r's place in its sentence] (+ type).
///
/// - ids: [rows], checked against the table beforehand   - positions: [rows], likewise
/// - words: [V, C]   - positionTable: [P, C]   - type: [C], row 0 of the table, or nil
/// - output: [rows, C], assigned
package func embeddingForward(
    rows: Int, columns: Int, ids: UnsafePointer<Int32>, positions: UnsafePointer<Int32>,
    words: ConstFloats, positionTable: ConstFloats, type: ConstFloats?, output: Floats
) {
    for row in 0..<rows {
        let word = words + Int(ids[row]) &* columns
        let position = positionTable + Int(positions[row]) &* columns
        let target = output + row &* columns
        @inline(__always) func addUp(_ index: Int, _ end: Int) {
            var value = load(word, index, end)
            if let type { value += load(type, index, end) }
            store(target, index, end, value + load(position, index, end))
        }
        forEachLanes(columns, addUp)
    }
}

/// dTable[row] += Σ dOutput over the places where the row was looked up, in their order.
///
/// - lookups: the table rows' users, grouped: row `rows[g]` was used at `places[starts[g] ..<
///   starts[g + 1]]`   - groups: the groups to do (tiles for several threads)
/// - dOutput: [tokens, C]   - dTable: [V, C]
package func embeddingBackward(
    columns: Int, lookups: EmbeddingLookups, groups: Range<Int>, dOutput: ConstFloats,
    dTable: Floats
) {
    for group in groups {
        let target = dTable + Int(lookups.rows[group]) &* columns
        st_own_pages(target, columns)
        for entry in lookups.starts[group]..<lookups.starts[group + 1] {
            accumulate(
                count: columns, source: dOutput + Int(lookups.places[entry]) &* columns,
                into: target)
        }
    }
}

/// Which rows of a table were looked up, and where: the transpose of a lookup.
package struct EmbeddingLookups {
    /// Distinct rows, ascending.
    package private(set) var rows: [Int32] = []
    package private(set) var starts: [Int] = [0]
    /// Places grouped by row, ascending within a row.
    package private(set) var places: [Int32] = []

    /// `ids[place]` is the row that `place` looked up; rows equal to `skip` get no gradient.
    package init(ids: [Int32], skip: Int32? = nil) {
        // One 64-bit key per place sorts by row, then by place.
        var keys: [UInt64] = []
        keys.reserveCapacity(ids.count)
        for (place, id) in ids.enumerated() where id != skip {
            keys.append(
                UInt64(UInt32(bitPattern: id)) << 32 | UInt64(UInt32(truncatingIfNeeded: place)))
        }
        keys.sort()
        places.reserveCapacity(keys.count)
        for key in keys {
            let row = Int32(truncatingIfNeeded: key >> 32)
            if rows.last != row {
                if !rows.isEmpty { starts.append(places.count) }
                rows.append(row)
            }
            places.append(Int32(truncatingIfNeeded: key & 0xffff_ffff))
        }
        if !rows.isEmpty { starts.append(places.count) }
    }
}
