// The truncated normal distribution against Optuna's.

import Foundation
import OrderedJSON
import Testing

import Tuning

struct TruncatedNormalTests {
    @Test func `ln Φ agrees from -40 to 40`() throws {
        for row in try golden("functions.json").at("log_cdf").list() {
            let (a, wanted) = (try row.at(0).number(), try row.at(1).number())
            let value = logNormalCDF(a)
            #expect(isClose(value, wanted, relative: 1e-13), "\(a): \(value), not \(wanted)")
        }
    }

    @Test func `masses of intervals agree in both tails`() throws {
        for row in try golden("functions.json").at("log_mass").list() {
            let (a, b) = (try row.at(0).number(), try row.at(1).number())
            let wanted = try row.at(2).number()
            let value = logNormalMass(a, b)
            #expect(
                isClose(value, wanted, relative: 1e-12, absolute: 1e-15),
                "[\(a), \(b)]: \(value), not \(wanted)")
        }
    }

    @Test func `quantiles agree as one batch`() throws {
        let rows = try golden("functions.json").at("quantiles").list().map { try $0.list() }
        func column(_ index: Int) throws -> [Double] { try rows.map { try $0[index].number() } }
        let values = truncatedNormalQuantiles(
            try column(0), lower: try column(1), upper: try column(2))
        for (row, value) in zip(rows, values) {
            let wanted = try row[3].number()
            #expect(
                isClose(value, wanted, relative: 1e-9, absolute: 1e-12),
                "\(row): \(value), not \(wanted)")
        }
    }

    @Test func `a mass is the integral of the density`() {
        let count = 20000
        for (a, b) in [(-1.0, 2.0), (-3.0, -2.5), (0.5, 4.0)] {
            let width = (b - a) / Double(count)
            var sum = 0.0
            for index in 0..<count {
                let x = a + (Double(index) + 0.5) * width
                sum += exp(-x * x / 2) / (2 * Double.pi).squareRoot() * width
            }
            #expect(isClose(exp(logNormalMass(a, b)), sum, relative: 1e-7))
        }
    }

    @Test func `an empty interval has no quantile`() {
        #expect(truncatedNormalQuantiles([0.5], lower: [1], upper: [1])[0].isNaN)
    }
}
