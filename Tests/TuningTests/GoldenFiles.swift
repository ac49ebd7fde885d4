// Reading the golden files: what Optuna and numpy say. scripts/golden/tuning.py writes
// traces.json, functions.json and log.txt.

import Foundation
import OrderedJSON
import Testing

import Tuning

/// A file of the Golden folder.
func golden(_ name: String) throws -> JSONValue {
    try JSONValue.parse(try goldenText(name))
}

func goldenText(_ name: String) throws -> String {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return try String(
        contentsOf: folder.appendingPathComponent("Golden/\(name)"), encoding: .utf8)
}

/// Equal within 1e-9 of the size, infinities and NaN alike.
func isClose(_ left: Double, _ right: Double, relative: Double = 1e-9, absolute: Double = 0)
    -> Bool
{
    if left.isNaN || right.isNaN { return left.isNaN && right.isNaN }
    if left == right { return true }
    return abs(left - right) <= max(relative * max(abs(left), abs(right)), absolute)
}

/// Floats within 1e-9, everything else exactly.
func agrees(_ value: ParameterValue, _ golden: JSONValue) -> Bool {
    switch (value, golden) {
    case (.double(let left), .double(let right)): isClose(left, right)
    case (.double(let left), .int(let right)): isClose(left, Double(right))
    default: ParameterValue(golden) == value
    }
}

extension JSONValue {
    /// A member or element that must be there.
    func at(_ key: String) throws -> JSONValue { try #require(self[key], "no member \(key)") }
    func at(_ index: Int) throws -> JSONValue { try #require(self[index], "no element \(index)") }
    func number() throws -> Double { try #require(doubleValue) }
    func integer() throws -> Int { try #require(intValue) }
    func flag() throws -> Bool {
        guard case .bool(let value) = self else { throw NotABoolean() }
        return value
    }
    func text() throws -> String { try #require(stringValue) }
    func list() throws -> [JSONValue] { try #require(arrayValue) }
    func numbers() throws -> [Double] { try list().map { try $0.number() } }
    func integers() throws -> [Int] { try list().map { try $0.integer() } }
}

/// A log that nobody reads.
let silent = OptunaLog(isColoured: false, write: { _ in }).logger

struct NotABoolean: Error {}
