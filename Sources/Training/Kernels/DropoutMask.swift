// Dropout masks: 0 or 1 / (1 − p) per element, made on the fly or read from a recorded stream.

/// One place of the network where dropout happens, during one forward and backward pass.
///
/// A mask row is a pure function of the site's keys and the row's number, so backward passes make
/// the same mask again instead of storing it. With `words` set, the mask is read from there.
package struct DropoutSite: Sendable {
    /// Random floats lie in 1 ..< 2; those at or above the threshold keep their element.
    let threshold: Float
    let scale: Float
    let key: UInt64
    /// Recorded words, one per element, 16 readable past the end: all ones keeps, 0 drops.
    nonisolated(unsafe) let words: UnsafePointer<UInt32>?

    /// `probability` in 0...1; `key` tells sites, layers, steps and seeds apart.
    package init(probability: Double, key: UInt64, words: UnsafePointer<UInt32>? = nil) {
        threshold = Float(1 + probability)
        scale = probability < 1 ? Float(1 / (1 - probability)) : 0
        self.key = key
        self.words = words
    }

    /// The mask of one row; `number` is the row's in the packed batch, `offset` where its recorded
    /// words start.
    @inline(__always) package func row(_ number: Int, offset: Int) -> DropoutRow {
        if let words {
            return DropoutRow(threshold: threshold, scale: scale, a: 0, b: 0, words: words + offset)
        }
        let mixed = splitMix(key &+ UInt64(truncatingIfNeeded: number) &* 0x9e37_79b9_7f4a_7c15)
        return DropoutRow(
            threshold: threshold, scale: scale, a: UInt32(truncatingIfNeeded: mixed),
            b: UInt32(truncatingIfNeeded: mixed >> 32), words: nil)
    }

    /// Joins the numbers that name a site into one key.
    package static func key(seed: UInt64, step: UInt64, layer: Int, site: Int) -> UInt64 {
        var key = splitMix(seed &+ 0x5354_2d44_524f_5031)
        key = splitMix(key ^ step)
        return splitMix(key ^ (UInt64(truncatingIfNeeded: layer) << 8 | UInt64(site)))
    }
}

/// The mask of one row of activations.
package struct DropoutRow {
    let threshold: Float
    let scale: Float
    let a: UInt32
    let b: UInt32
    let words: UnsafePointer<UInt32>?

    /// Factors of the elements `column ..< column + 16`.
    ///
    /// A 32-bit integer hash of the column (two multiplications, three xor-shifts, constants of
    /// Chris Wellons' "lowbias32") with 64 bits of row key put in at two places, so that no row's
    /// mask is a shifted copy of another's.
    @inline(__always) package func factors(_ column: Int) -> Lanes {
        let word: LaneBits
        if let words {
            word = UnsafeRawPointer(words + column).loadUnaligned(as: LaneBits.self)
        } else {
            var x = (laneNumbers &+ UInt32(truncatingIfNeeded: column)) &* 0x9e37_79b1 ^ a
            x = (x ^ (x &>> 16)) &* 0x7feb_352d
            x = ((x ^ (x &>> 15)) &+ b) &* 0x846c_a68b
            word = x ^ (x &>> 16)
        }
        let unit = unsafeBitCast((word &>> 9) | 0x3f80_0000, to: Lanes.self)
        return Lanes(repeating: 0).replacing(with: scale, where: unit .>= threshold)
    }
}

/// values ⊙= mask for rows of activations; the same call serves gradients in the backward pass.
///
/// - values: [rows, columns]   - firstRow: number of the first row in the packed batch
package func applyDropout(
    rows: Int, columns: Int, firstRow: Int, site: DropoutSite, values: Floats
) {
    for row in 0..<rows {
        let mask = site.row(firstRow &+ row, offset: (firstRow &+ row) &* columns)
        let target = values + row &* columns
        @inline(__always) func apply(_ index: Int, _ end: Int) {
            store(target, index, end, load(target, index, end) * mask.factors(index))
        }
        forEachLanes(columns, apply)
    }
}

private let laneNumbers = LaneBits(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

/// Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195: the output function of SplitMix64.
@inline(__always) private func splitMix(_ input: UInt64) -> UInt64 {
    var z = input &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
}
