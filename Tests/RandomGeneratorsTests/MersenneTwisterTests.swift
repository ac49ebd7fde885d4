import RandomGenerators
import Testing

struct MersenneTwisterTests {
    @Test func `seeding fills the state as numpy does`() {
        let generator = MersenneTwister(seed: 42)
        #expect(Array(generator.words.prefix(3)) == [42, 3_107_752_595, 1_895_908_407])
        #expect(generator.words[623] == 26_719_530)
        let zero = MersenneTwister(seed: 0)
        #expect(Array(zero.words.prefix(3)) == [0, 1, 1_812_433_255])
        #expect(zero.words[623] == 1_796_872_496)
    }

    @Test(
        arguments: [
            (0, [2_357_136_044, 2_546_248_239, 3_071_714_933, 3_626_093_760, 2_588_848_963]),
            (42, [1_608_637_542, 3_421_126_067, 4_083_286_876, 787_846_414, 3_143_890_026]),
        ] as [(UInt32, [UInt32])])
    func `words equal numpy's`(seed: UInt32, expected: [UInt32]) {
        var generator = MersenneTwister(seed: seed)
        #expect((0..<5).map { _ in generator.next() } == expected)
    }

    @Test func `a restored state continues the stream`() throws {
        var generator = MersenneTwister(seed: 7)
        for _ in 0..<1000 { _ = generator.next() }
        var copy = try #require(
            MersenneTwister(words: generator.words, position: generator.position))
        #expect((0..<700).map { _ in copy.next() } == (0..<700).map { _ in generator.next() })
        #expect(MersenneTwister(words: [1, 2], position: 0) == nil)
        #expect(MersenneTwister(words: generator.words, position: 625) == nil)
    }
}
