// numpy's legacy random numbers, call by call.

import OrderedJSON
import Testing

import Tuning

struct NumpyRandomStateTests {
    @Test(arguments: [0, 42, 4_294_967_295] as [UInt32])
    func `a seed gives numpy's numbers`(_ seed: UInt32) throws {
        let wanted = try golden("functions.json").at("draws").at(String(seed))
        func fresh() -> NumpyRandomState { NumpyRandomState(seed: seed) }
        /// `count` draws of one generator.
        func draws<Value>(_ count: Int, _ draw: (inout NumpyRandomState) -> Value) -> [Value] {
            var state = fresh()
            return (0..<count).map { _ in draw(&state) }
        }
        #expect(draws(8) { Int($0.word()) } == (try wanted.at("words").integers()))
        #expect(draws(5) { $0.double() } == (try wanted.at("doubles").numbers()))
        #expect(draws(5) { $0.uniform(-1, 2) } == (try wanted.at("uniform").numbers()))
        #expect(draws(8) { $0.integer(0, 10) } == (try wanted.at("below10").integers()))
        #expect(draws(5) { $0.integer(1, 65536) } == (try wanted.at("below65536").integers()))
        #expect(draws(5) { $0.integer(0, 1 << 40) } == (try wanted.at("below2to40").integers()))
        var state = fresh()
        #expect(
            state.choices(weights: [0.1, 0.2, 0.3, 0.25, 0.15], count: 8)
                == (try wanted.at("choice").integers()))
        state = fresh()
        #expect(state.permutation(8) == (try wanted.at("permutation").integers()))
        for (value, wanted) in zip(
            draws(5, { $0.standardNormal() }), try wanted.at("normal").numbers())
        {
            #expect(isClose(value, wanted, relative: 1e-14))
        }
    }

    @Test func `different calls share one stream of words`() {
        var state = NumpyRandomState(seed: 42)
        #expect(state.double() == 0.3745401188473625)
        #expect(state.choices(weights: [0.2, 0.3, 0.5], count: 2) == [2, 2])
        #expect(state.uniform(0, 1) == 0.5986584841970366)
        #expect(state.uniform(0, 1) == 0.15601864044243652)
        #expect(state.double() == 0.15599452033620265)
    }

    @Test func `an integer range of one value uses no word`() {
        var state = NumpyRandomState(seed: 0)
        #expect(state.integer(7, 8) == 7)
        #expect(state.word() == 2_357_136_044)
    }

    @Test func `a generator without a seed differs from the next`() {
        var first = NumpyRandomState.fromEntropy()
        var second = NumpyRandomState.fromEntropy()
        #expect((0..<4).map { _ in first.word() } != (0..<4).map { _ in second.word() })
    }

    @Test(arguments: [-1, 4_294_967_296, Int.max])
    func `a seed that numpy refuses is refused`(_ seed: Int) {
        #expect(
            throws: TuningError.argument(
                owner: "RandomSampler", name: "seed",
                problem: "must be between 0 and 2**32 - 1, but got \(seed)")
        ) { try RandomSampler(seed: seed) }
    }
}
