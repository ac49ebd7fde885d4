// numpy's two orders of tied sort keys.

import OrderedJSON
import Testing

import Tuning

struct ArgSortTests {
    @Test(arguments: ["simd", "scalar"])
    func `ties come in numpy's order`(_ kind: String) throws {
        let tieOrder: TieOrder = kind == "simd" ? .simd : .scalar
        for row in try golden("functions.json").at("sorts").at(kind).list() {
            let keys = try row.at("keys").numbers()
            let wanted = try row.at("order").integers()
            #expect(argSort(keys, tieOrder) == wanted, "\(keys.count) keys")
        }
    }

    @Test func `the example of the two orders`() {
        let keys: [Double] = [3, 3, 3, 1, 1, 2, 3, 2]
        #expect(argSort(keys, .simd) == [3, 4, 5, 7, 2, 1, 0, 6])
        #expect(argSort(keys, .scalar) == [3, 4, 5, 7, 0, 1, 2, 6])
    }

    @Test func `any keys are sorted`() {
        var state = NumpyRandomState(seed: 1)
        for count in [0, 1, 7, 255, 256, 257, 1000, 5000] {
            let keys = (0..<count).map { _ in Double(state.integer(0, max(1, count / 2))) }
            for tieOrder in [TieOrder.simd, .scalar] {
                let order = argSort(keys, tieOrder)
                #expect(order.sorted() == Array(0..<count))
                #expect(zip(order, order.dropFirst()).allSatisfy { keys[$0] <= keys[$1] })
            }
        }
    }

    @Test func `keys made to slow quicksort down are sorted`() {
        // Organ pipes drive a median of three to its depth limit and into heap sort.
        let keys = (0..<4000).map { Double(min($0, 4000 - $0)) } + (0..<4000).map(Double.init)
        let order = argSort(keys, .scalar)
        #expect(zip(order, order.dropFirst()).allSatisfy { keys[$0] <= keys[$1] })
    }
}
