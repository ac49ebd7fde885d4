// Exact arithmetic on the shortest decimal form of doubles. Optuna counts the steps of a range
// this way, so that [0, 0.3] with step 0.1 has four values although 0.3 / 0.1 < 3 in doubles.

import OrderedJSON

/// coefficient · 10^exponent, the number that a double prints as.
struct ExactDecimal: Sendable {
    var coefficient: Int128
    var exponent: Int

    init(coefficient: Int128, exponent: Int) {
        self.coefficient = coefficient
        self.exponent = exponent
    }

    /// The shortest decimal that reads back as `value`; `nil` unless it is finite.
    init?(_ value: Double) {
        guard value.isFinite else { return nil }
        var coefficient: Int128 = 0
        var exponent = 0
        var isPastPoint = false
        var text = pythonRepr(value).utf8[...]
        let isNegative = text.first == UInt8(ascii: "-")
        if isNegative { text = text.dropFirst() }
        while let byte = text.popFirst() {
            switch byte {
            case UInt8(ascii: "."): isPastPoint = true
            case UInt8(ascii: "e"):
                guard let power = Int(Substring(text)) else { return nil }
                exponent += power
                text = text[text.endIndex...]
            default:
                // At most 17 digits that count and, below 1e16, a trailing ".0".
                coefficient = coefficient * 10 + Int128(byte - UInt8(ascii: "0"))
                if isPastPoint { exponent -= 1 }
            }
        }
        self.coefficient = isNegative ? -coefficient : coefficient
        self.exponent = coefficient == 0 ? 0 : exponent
    }

    /// Both coefficients on the smaller exponent; `nil` when that does not fit 128 bits.
    private static func aligned(
        _ left: ExactDecimal, _ right: ExactDecimal
    ) -> (Int128, Int128, exponent: Int)? {
        let exponent = min(left.exponent, right.exponent)
        guard let first = scaled(left, to: exponent), let second = scaled(right, to: exponent)
        else { return nil }
        return (first, second, exponent)
    }

    private static func scaled(_ value: ExactDecimal, to exponent: Int) -> Int128? {
        var coefficient = value.coefficient
        if coefficient == 0 { return 0 }
        for _ in 0..<(value.exponent - exponent) {
            let (product, overflow) = coefficient.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            coefficient = product
        }
        return coefficient
    }

    func adding(_ other: ExactDecimal) -> ExactDecimal? {
        guard let (left, right, exponent) = Self.aligned(self, other) else { return nil }
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? nil : ExactDecimal(coefficient: sum, exponent: exponent)
    }

    func subtracting(_ other: ExactDecimal) -> ExactDecimal? {
        guard let (left, right, exponent) = Self.aligned(self, other) else { return nil }
        let (difference, overflow) = left.subtractingReportingOverflow(right)
        return overflow ? nil : ExactDecimal(coefficient: difference, exponent: exponent)
    }

    func multiplied(by count: Int128) -> ExactDecimal? {
        let (product, overflow) = coefficient.multipliedReportingOverflow(by: count)
        return overflow ? nil : ExactDecimal(coefficient: product, exponent: exponent)
    }

    /// Whole quotient and whether nothing remains; `nil` for a divisor of 0 or beyond 128 bits.
    func divided(by other: ExactDecimal) -> (quotient: Int128, isExact: Bool)? {
        guard let (left, right, _) = Self.aligned(self, other), right != 0 else { return nil }
        return (left / right, left % right == 0)
    }

    /// `nil` beyond 128 bits.
    func isLess(than other: ExactDecimal) -> Bool? {
        Self.aligned(self, other).map { $0.0 < $0.1 }
    }

    /// The nearest double.
    var doubleValue: Double { Double("\(coefficient)e\(exponent)") ?? .nan }
}
