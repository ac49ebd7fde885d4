// Tiles of matrix products: as many rows as registers hold, and 32 columns, or 16 where registers
// are those of AVX2.
//
// The rows are written out because only then every sum keeps a register of its own: arrays and
// tuples of vectors end up in memory. Two loads of `b` and one broadcast a row feed two
// multiplications a row, so the tile of 14 rows (28 sums, 2 vectors of `b`) keeps both units of an
// AVX-512 core busy. A vector of 16 is two registers of AVX2: 6 rows are 12 sums of its 16 registers.

import CKernels

extension Operands {
    /// The columns `column ..< column + 32` of `m` rows.
    @inline(__always) func columns32(_ m: Int, _ column: Int) {
        var row = 0
        while row &+ 14 <= m {
            tile14x2(row, column)
            row &+= 14
        }
        if row &+ 8 <= m {
            tile8x2(row, column)
            row &+= 8
        }
        while row < m {
            tile4x2(row, column, min(4, m &- row))
            row &+= 4
        }
    }

    /// Bytes from a row of `a` to the one `rows` further, which the compiler does not look into.
    ///
    /// Addresses take 1, 2, 4 and 8 times a number. Seeing that all are multiples of `aRow`, the
    /// compiler would make them by a chain of additions, which compete with the multiplications.
    @inline(__always) private func bytes(_ rows: Int) -> Int {
        st_opaque(rows &* aRow &* MemoryLayout<Float>.stride)
    }

    @inline(__always) private func value(_ a: ConstFloats, _ bytes: Int) -> Float {
        UnsafeRawPointer(a).load(fromByteOffset: bytes, as: Float.self)
    }

    /// 14 rows, two vectors wide.
    @inline(never) func tile14x2(_ row: Int, _ column: Int) {
        var left = self.b + column
        var a = self.a + row &* aRow
        let one = bytes(1)
        let three = bytes(3)
        let five = bytes(5)
        let seven = bytes(7)
        let nine = bytes(9)
        let eleven = bytes(11)
        let thirteen = bytes(13)
        let zero = Lanes(repeating: 0)
        var l0 = zero, r0 = zero
        var l1 = zero, r1 = zero
        var l2 = zero, r2 = zero
        var l3 = zero, r3 = zero
        var l4 = zero, r4 = zero
        var l5 = zero, r5 = zero
        var l6 = zero, r6 = zero
        var l7 = zero, r7 = zero
        var l8 = zero, r8 = zero
        var l9 = zero, r9 = zero
        var l10 = zero, r10 = zero
        var l11 = zero, r11 = zero
        var l12 = zero, r12 = zero
        var l13 = zero, r13 = zero
        for _ in 0..<k {
            let b0 = load(left)
            let b1 = load(left + 16)
            let a0 = a[0]
            l0 = multiplyAdd(a0, b0, l0)
            r0 = multiplyAdd(a0, b1, r0)
            let a1 = value(a, one)
            l1 = multiplyAdd(a1, b0, l1)
            r1 = multiplyAdd(a1, b1, r1)
            let a2 = value(a, 2 &* one)
            l2 = multiplyAdd(a2, b0, l2)
            r2 = multiplyAdd(a2, b1, r2)
            let a3 = value(a, three)
            l3 = multiplyAdd(a3, b0, l3)
            r3 = multiplyAdd(a3, b1, r3)
            let a4 = value(a, 4 &* one)
            l4 = multiplyAdd(a4, b0, l4)
            r4 = multiplyAdd(a4, b1, r4)
            let a5 = value(a, five)
            l5 = multiplyAdd(a5, b0, l5)
            r5 = multiplyAdd(a5, b1, r5)
            let a6 = value(a, 2 &* three)
            l6 = multiplyAdd(a6, b0, l6)
            r6 = multiplyAdd(a6, b1, r6)
            let a7 = value(a, seven)
            l7 = multiplyAdd(a7, b0, l7)
            r7 = multiplyAdd(a7, b1, r7)
            let a8 = value(a, 8 &* one)
            l8 = multiplyAdd(a8, b0, l8)
            r8 = multiplyAdd(a8, b1, r8)
            let a9 = value(a, nine)
            l9 = multiplyAdd(a9, b0, l9)
            r9 = multiplyAdd(a9, b1, r9)
            let a10 = value(a, 2 &* five)
            l10 = multiplyAdd(a10, b0, l10)
            r10 = multiplyAdd(a10, b1, r10)
            let a11 = value(a, eleven)
            l11 = multiplyAdd(a11, b0, l11)
            r11 = multiplyAdd(a11, b1, r11)
            let a12 = value(a, 4 &* three)
            l12 = multiplyAdd(a12, b0, l12)
            r12 = multiplyAdd(a12, b1, r12)
            let a13 = value(a, thirteen)
            l13 = multiplyAdd(a13, b0, l13)
            r13 = multiplyAdd(a13, b1, r13)
            a += aColumn
            left += bRow
        }
        finish(row, column, l0, r0)
        finish(row &+ 1, column, l1, r1)
        finish(row &+ 2, column, l2, r2)
        finish(row &+ 3, column, l3, r3)
        finish(row &+ 4, column, l4, r4)
        finish(row &+ 5, column, l5, r5)
        finish(row &+ 6, column, l6, r6)
        finish(row &+ 7, column, l7, r7)
        finish(row &+ 8, column, l8, r8)
        finish(row &+ 9, column, l9, r9)
        finish(row &+ 10, column, l10, r10)
        finish(row &+ 11, column, l11, r11)
        finish(row &+ 12, column, l12, r12)
        finish(row &+ 13, column, l13, r13)
    }

    /// 8 rows, two vectors wide.
    @inline(never) func tile8x2(_ row: Int, _ column: Int) {
        var left = self.b + column
        var a = self.a + row &* aRow
        let one = bytes(1)
        let three = bytes(3)
        let five = bytes(5)
        let seven = bytes(7)
        let zero = Lanes(repeating: 0)
        var l0 = zero, r0 = zero
        var l1 = zero, r1 = zero
        var l2 = zero, r2 = zero
        var l3 = zero, r3 = zero
        var l4 = zero, r4 = zero
        var l5 = zero, r5 = zero
        var l6 = zero, r6 = zero
        var l7 = zero, r7 = zero
        for _ in 0..<k {
            let b0 = load(left)
            let b1 = load(left + 16)
            let a0 = a[0]
            l0 = multiplyAdd(a0, b0, l0)
            r0 = multiplyAdd(a0, b1, r0)
            let a1 = value(a, one)
            l1 = multiplyAdd(a1, b0, l1)
            r1 = multiplyAdd(a1, b1, r1)
            let a2 = value(a, 2 &* one)
            l2 = multiplyAdd(a2, b0, l2)
            r2 = multiplyAdd(a2, b1, r2)
            let a3 = value(a, three)
            l3 = multiplyAdd(a3, b0, l3)
            r3 = multiplyAdd(a3, b1, r3)
            let a4 = value(a, 4 &* one)
            l4 = multiplyAdd(a4, b0, l4)
            r4 = multiplyAdd(a4, b1, r4)
            let a5 = value(a, five)
            l5 = multiplyAdd(a5, b0, l5)
            r5 = multiplyAdd(a5, b1, r5)
            let a6 = value(a, 2 &* three)
            l6 = multiplyAdd(a6, b0, l6)
            r6 = multiplyAdd(a6, b1, r6)
            let a7 = value(a, seven)
            l7 = multiplyAdd(a7, b0, l7)
            r7 = multiplyAdd(a7, b1, r7)
            a += aColumn
            left += bRow
        }
        finish(row, column, l0, r0)
        finish(row &+ 1, column, l1, r1)
        finish(row &+ 2, column, l2, r2)
        finish(row &+ 3, column, l3, r3)
        finish(row &+ 4, column, l4, r4)
        finish(row &+ 5, column, l5, r5)
        finish(row &+ 6, column, l6, r6)
        finish(row &+ 7, column, l7, r7)
    }

    /// `count` rows of up to 4, two vectors wide. Rows past `count` compute the last one again, which
    /// costs nothing: four rows are what the latency of a multiplication hides.
    @inline(never) func tile4x2(_ row: Int, _ column: Int, _ count: Int) {
        let row1 = min(1, count &- 1) &* aRow
        let row2 = min(2, count &- 1) &* aRow
        let row3 = min(3, count &- 1) &* aRow
        let zero = Lanes(repeating: 0)
        var l0 = zero, r0 = zero
        var l1 = zero, r1 = zero
        var l2 = zero, r2 = zero
        var l3 = zero, r3 = zero
        var left = self.b + column
        var a = self.a + row &* aRow
        for _ in 0..<k {
            let b0 = load(left)
            let b1 = load(left + 16)
            l0 = multiplyAdd(a[0], b0, l0)
            r0 = multiplyAdd(a[0], b1, r0)
            l1 = multiplyAdd(a[row1], b0, l1)
            r1 = multiplyAdd(a[row1], b1, r1)
            l2 = multiplyAdd(a[row2], b0, l2)
            r2 = multiplyAdd(a[row2], b1, r2)
            l3 = multiplyAdd(a[row3], b0, l3)
            r3 = multiplyAdd(a[row3], b1, r3)
            a += aColumn
            left += bRow
        }
        finish(row, column, l0, r0)
        if count > 1 { finish(row &+ 1, column, l1, r1) }
        if count > 2 { finish(row &+ 2, column, l2, r2) }
        if count > 3 { finish(row &+ 3, column, l3, r3) }
    }

    /// The columns `column ..< column + 16` of `m` rows, for 16 registers of 8 floats.
    @inline(__always) func columns16(_ m: Int, _ column: Int) {
        var row = 0
        // 7 and 8 rows are two tiles of 4: a tile costs as much as it has rows.
        while m &- row >= 9 || m &- row == 6 {
            tile6x1(row, column, 6)
            row &+= 6
        }
        if m &- row == 5 {
            tile6x1(row, column, 5)
            return
        }
        while row < m {
            tile4x1(row, column, min(4, m &- row))
            row &+= 4
        }
    }

    /// `count` rows, 5 or 6, one vector wide. A row past `count` computes the last one again.
    @inline(never) func tile6x1(_ row: Int, _ column: Int, _ count: Int) {
        let row5 = (count &- 1) &* aRow
        let zero = Lanes(repeating: 0)
        var s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero
        var source = self.b + column
        var a = self.a + row &* aRow
        for _ in 0..<k {
            let vector = load(source)
            s0 = multiplyAdd(a[0], vector, s0)
            s1 = multiplyAdd(a[aRow], vector, s1)
            s2 = multiplyAdd(a[2 &* aRow], vector, s2)
            s3 = multiplyAdd(a[3 &* aRow], vector, s3)
            s4 = multiplyAdd(a[4 &* aRow], vector, s4)
            s5 = multiplyAdd(a[row5], vector, s5)
            a += aColumn
            source += bRow
        }
        finish(row, column, s0)
        finish(row &+ 1, column, s1)
        finish(row &+ 2, column, s2)
        finish(row &+ 3, column, s3)
        finish(row &+ 4, column, s4)
        if count > 5 { finish(row &+ 5, column, s5) }
    }

    /// `count` rows of up to 4, one vector wide; see ``tile4x2(_:_:_:)``.
    @inline(never) func tile4x1(_ row: Int, _ column: Int, _ count: Int) {
        let row1 = min(1, count &- 1) &* aRow
        let row2 = min(2, count &- 1) &* aRow
        let row3 = min(3, count &- 1) &* aRow
        let zero = Lanes(repeating: 0)
        var s0 = zero, s1 = zero, s2 = zero, s3 = zero
        var source = self.b + column
        var a = self.a + row &* aRow
        for _ in 0..<k {
            let vector = load(source)
            s0 = multiplyAdd(a[0], vector, s0)
            s1 = multiplyAdd(a[row1], vector, s1)
            s2 = multiplyAdd(a[row2], vector, s2)
            s3 = multiplyAdd(a[row3], vector, s3)
            a += aColumn
            source += bRow
        }
        finish(row, column, s0)
        if count > 1 { finish(row &+ 1, column, s1) }
        if count > 2 { finish(row &+ 2, column, s2) }
        if count > 3 { finish(row &+ 3, column, s3) }
    }
}
