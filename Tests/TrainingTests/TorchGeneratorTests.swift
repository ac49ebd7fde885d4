import Testing
import Training

struct TorchGeneratorTests {
    @Test(
        arguments: [
            (42, [2, 14, 18, 15, 1, 10, 0, 4, 6, 11, 8, 3, 7, 17, 13, 12, 19, 5, 16, 9]),
            (43, [8, 16, 13, 19, 9, 10, 0, 17, 4, 14, 11, 12, 18, 6, 15, 7, 3, 1, 5, 2]),
            (0, [4, 0, 7, 3, 2, 5, 1, 6]),
        ] as [(UInt64, [Int])])
    func `permutations equal torch's`(seed: UInt64, expected: [Int]) {
        #expect(TorchGenerator(seed: seed).permutation(expected.count) == expected)
    }

    @Test func `a seed above 32 bits behaves as its low half`() {
        #expect(
            TorchGenerator(seed: (1 << 32) + 42).permutation(50)
                == TorchGenerator(seed: 42).permutation(50))
    }
}
