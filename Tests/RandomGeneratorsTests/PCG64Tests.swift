import RandomGenerators
import Testing

/// Expected values: numpy 2.4, `default_rng(seed)` and `SeedSequence(seed)`.
struct PCG64Tests {
    @Test(
        arguments: [
            (0, [2_968_811_710, 3_677_149_159, 745_650_761, 2_884_920_346]),
            (42, [3_444_837_047, 2_669_555_309, 2_046_530_742, 3_581_440_988]),
            (1 << 40 + 7, [238_885_397, 226_915_041, 1_322_230_113, 2_599_373_530]),
        ] as [(UInt64, [UInt32])])
    func `seed sequences give numpy's words`(seed: UInt64, expected: [UInt32]) {
        #expect(SeedSequence(entropy: seed).words32(4) == expected)
    }

    @Test(
        arguments: [
            (0, [11_749_869_230_777_074_271, 4_976_686_463_289_251_617, 755_828_109_848_996_024]),
            (
                42,
                [14_276_969_152_011_380_360, 8_095_878_257_575_067_585, 15_838_336_090_824_644_132]
            ),
            (
                1 << 40 + 7,
                [15_307_346_044_642_009_514, 4_709_548_916_763_817_589, 2_836_937_976_252_648_324]
            ),
        ] as [(UInt64, [UInt64])])
    func `words equal numpy's`(seed: UInt64, expected: [UInt64]) {
        var generator = PCG64(seed: seed)
        #expect((0..<3).map { _ in generator.next64() } == expected)
    }

    @Test func `doubles equal numpy's`() {
        var generator = PCG64(seed: 42)
        #expect(
            (0..<3).map { _ in generator.nextDouble() }
                == [0.7739560485559633, 0.4388784397520523, 0.8585979199113825])
    }

    @Test(
        arguments: [
            (0, [4, 19, 6, 2, 13, 16, 3, 11, 10, 8, 0, 12, 7, 5, 18, 17, 14, 9, 1, 15]),
            (42, [15, 9, 14, 7, 12, 10, 6, 19, 3, 0, 16, 5, 11, 18, 2, 4, 17, 1, 13, 8]),
            (1 << 40 + 7, [12, 18, 16, 6, 3, 17, 19, 2, 14, 1, 7, 13, 8, 5, 11, 15, 4, 9, 0, 10]),
        ] as [(UInt64, [Int])])
    func `permutations equal numpy's`(seed: UInt64, expected: [Int]) {
        var generator = PCG64(seed: seed)
        #expect(generator.permutation(20) == expected)
    }

    @Test(
        arguments: [
            (0, 249_975_423_284_886), (42, 249_157_033_702_609), (1 << 40 + 7, 250_412_274_855_812),
        ] as [(UInt64, Int)])
    func `a long permutation equals numpy's`(seed: UInt64, checksum: Int) {
        var generator = PCG64(seed: seed)
        let permutation = generator.permutation(100_000)
        #expect(
            permutation.enumerated().reduce(0) { $0 + $1.element * ($1.offset + 1) } == checksum)
    }

    @Test func `short permutations are total`() {
        var generator = PCG64(seed: 1)
        #expect(generator.permutation(0) == [])
        #expect(generator.permutation(-3) == [])
        #expect(generator.permutation(1) == [0])
    }
}
