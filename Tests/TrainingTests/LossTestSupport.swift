import Foundation
import OrderedJSON
import Testing
import Training

/// Files under Golden/, written by the scripts in scripts/golden/.
enum Golden {
    static func url(_ name: String, file: String = #filePath) -> URL {
        URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Golden")
            .appendingPathComponent(name)
    }

    static func json(_ name: String) throws -> JSONValue {
        let data = try Data(contentsOf: url(name))
        return try JSONValue.parse(String(decoding: data, as: UTF8.self))
    }
}

extension JSONValue {
    var doubles: [Double] { arrayValue?.compactMap(\.doubleValue) ?? [] }
    var floats: [Float] { doubles.map { Float($0) } }
    var strings: [String] { arrayValue?.compactMap(\.stringValue) ?? [] }
    var ints: [Int] { arrayValue?.compactMap(\.intValue) ?? [] }
}

/// True when |value − expected| ≤ absolute + relative · |expected|; NaN is never close.
func isClose(
    _ value: Double, _ expected: Double, relative: Double = 1e-5, absolute: Double = 1e-7
) -> Bool {
    (value - expected).magnitude <= absolute + relative * expected.magnitude
}

/// The first element that is off, described; `nil` when all are close.
func firstDifference(
    _ values: [Float], _ expected: [Float], relative: Double = 1e-5, absolute: Double = 1e-7
) -> String? {
    guard values.count == expected.count else {
        return "\(values.count) values, expected \(expected.count)"
    }
    for (index, (value, wanted)) in zip(values, expected).enumerated()
    where !isClose(Double(value), Double(wanted), relative: relative, absolute: absolute) {
        return "[\(index)] is \(value), expected \(wanted)"
    }
    return nil
}
