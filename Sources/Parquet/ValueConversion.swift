// From the numbers in a file to what their logical type says: decimals, dates, half precision.

extension LeafDecoder {
    /// Appends integers as the column's type has them.
    mutating func append(_ integers: [Int64], into values: inout LeafValues) throws(Malformed) {
        switch target {
        case .decimal(_, let scale):
            let unit = decimalUnit(scale)
            values.floats.append(contentsOf: integers.map { Double($0) / unit })
        case .date, .time, .timestamp:
            let first = values.strings.count
            for number in integers {
                let text = CivilTime.text(number, target, unit)
                text.withBytes { values.strings.append($0) }
            }
            try values.positionNewTexts(from: first)
        case .integer(let bits, false):
            if bits == 64 {
                if let large = integers.first(where: { $0 < 0 }) {
                    throw .unsupported(
                        "\(UInt64(bitPattern: large)) does not fit signed 64 bits",
                        "write the column as int64 or as text")
                }
                values.integers.append(contentsOf: integers)
            } else {
                let mask = Int64(1) << Int64(bits) - 1
                values.integers.append(contentsOf: integers.map { $0 & mask })
            }
        default: values.integers.append(contentsOf: integers)
        }
    }

    /// Two's complement, most significant byte first.
    func decimal(bigEndian bytes: UnsafeRawBufferPointer) throws(Malformed) -> Double {
        guard case .decimal(_, let scale) = target else { return 0 }
        guard bytes.count <= 16 else {
            throw .unsupported("a decimal of \(bytes.count) bytes", "write at most 38 digits")
        }
        var value: Int128 = bytes.first.map { $0 >= 0x80 ? -1 : 0 } ?? 0
        for byte in bytes { value = value << 8 | Int128(byte) }
        return Double(value) / decimalUnit(scale)
    }

    private func decimalUnit(_ scale: Int) -> Double {
        var unit = 1.0
        // Exact up to 10²²; beyond that a value has lost digits to the double anyway.
        for _ in 0..<scale { unit *= 10 }
        return unit
    }
}

/// The value of 16 bits in IEEE half precision; Swift has Float16 on some machines only.
func halfPrecision(_ bits: UInt16) -> Double {
    let exponent = Int(bits >> 10 & 0x1f)
    let fraction = Double(bits & 0x3ff)
    let magnitude: Double
    switch exponent {
    case 0: magnitude = fraction * 0x1p-24
    case 31: magnitude = fraction == 0 ? .infinity : .nan
    default:
        magnitude =
            (1 + fraction * 0x1p-10) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
    }
    return bits & 0x8000 == 0 ? magnitude : -magnitude
}

/// Days, times and instants as Python's `str` writes them.
struct CivilTime {
    private var digits: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    private var count = 0

    func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeBytes(of: digits) { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }

    static func text(
        _ number: Int64, _ type: ParquetType, _ unit: LogicalType.Unit
    ) -> CivilTime {
        var text = CivilTime()
        if type == .date {
            text.appendDay(number)
            return text
        }
        let (perSecond, places): (Int64, Int) =
            switch unit {
            case .milliseconds: (1000, 3)
            case .microseconds: (1_000_000, 6)
            case .nanoseconds: (1_000_000_000, 9)
            }
        let (seconds, fraction) = floorDivide(number, perSecond)
        let (days, second) = floorDivide(seconds, 86400)
        if type == .timestamp {
            text.appendDay(days)
            text.append(UInt8(ascii: " "))
        }
        text.appendClock(second)
        text.appendFraction(fraction, places)
        return text
    }

    /// Nanoseconds of the day and a Julian day number, as Impala and Spark once wrote instants.
    static func int96(_ base: UnsafeRawPointer) -> CivilTime {
        let nanoseconds = Int64(littleEndian: base.loadUnaligned(as: Int64.self))
        let julianDay = UInt32(
            littleEndian: base.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        let (seconds, fraction) = floorDivide(nanoseconds, 1_000_000_000)
        let (days, second) = floorDivide(seconds, 86400)
        var text = CivilTime()
        text.appendDay(Int64(julianDay) - 2_440_588 + days)
        text.append(UInt8(ascii: " "))
        text.appendClock(second)
        text.appendFraction(fraction, 9)
        return text
    }

    private mutating func appendDay(_ days: Int64) {
        // Hinnant, "chrono-Compatible Low-Level Date Algorithms": civil_from_days.
        let shifted = days &+ 719_468
        let (era, dayOfEra) = floorDivide(shifted, 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let year = era * 400 + yearOfEra + (month >= 10 ? 1 : 0)
        appendNumber(year, 4)
        append(UInt8(ascii: "-"))
        appendNumber(month < 10 ? month + 3 : month - 9, 2)
        append(UInt8(ascii: "-"))
        appendNumber(day, 2)
    }

    private mutating func appendClock(_ second: Int64) {
        appendNumber(second / 3600, 2)
        append(UInt8(ascii: ":"))
        appendNumber(second / 60 % 60, 2)
        append(UInt8(ascii: ":"))
        appendNumber(second % 60, 2)
    }

    /// Six digits where that is exact, nine otherwise; none for whole seconds.
    private mutating func appendFraction(_ fraction: Int64, _ places: Int) {
        if fraction == 0 { return }
        append(UInt8(ascii: "."))
        if places == 3 {
            appendNumber(fraction * 1000, 6)
        } else if places == 9, fraction % 1000 == 0 {
            appendNumber(fraction / 1000, 6)
        } else {
            appendNumber(fraction, places)
        }
    }

    private mutating func appendNumber(_ number: Int64, _ places: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        let digits = Array(String(number.magnitude).utf8)
        for _ in 0..<max(places - digits.count, 0) { append(UInt8(ascii: "0")) }
        for digit in digits { append(digit) }
    }

    /// At most 32 bytes: no instant of 64 bits has more but days far from any calendar, cut there.
    private mutating func append(_ byte: UInt8) {
        guard count < 32 else { return }
        withUnsafeMutableBytes(of: &digits) { $0[count] = byte }
        count += 1
    }
}

private func floorDivide(_ number: Int64, _ divisor: Int64) -> (Int64, Int64) {
    let (quotient, rest) = number.quotientAndRemainder(dividingBy: divisor)
    return rest < 0 ? (quotient - 1, rest + divisor) : (quotient, rest)
}
