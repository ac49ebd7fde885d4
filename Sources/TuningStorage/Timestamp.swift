// Points in time as databases and journals hold them: UTC with microseconds.

package import FoundationEssentials
import Glibc

package enum Timestamp {
    /// The time with the microseconds that a storage keeps, so that a record that was just written
    /// equals the one that is read back.
    package static func now() -> Date {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return date(seconds: time.tv_sec, microseconds: time.tv_nsec / 1000)
    }

    private static func date(seconds: Int, microseconds: Int) -> Date {
        Date(timeIntervalSince1970: Double(seconds) + Double(microseconds) * 1e-6)
    }

    /// `2026-11-23 20:45:04.668300`, as SQLAlchemy writes it. Years beyond 1 to 9999, which Python
    /// has no dates for, become the nearest one it has.
    package static func sql(_ date: Date) -> String { text(date, separator: " ") }

    /// `2026-11-23T20:45:04.668300+00:00`, as Python's `isoformat` writes it.
    package static func iso(_ date: Date) -> String { text(date, separator: "T") + "+00:00" }

    private static func text(_ date: Date, separator: String) -> String {
        let earliest = -62_135_596_800.0
        let latest = 253_402_300_799.0
        let time = date.timeIntervalSince1970
        let total = Int((min(max(time.isNaN ? 0 : time, earliest), latest) * 1e6).rounded())
        let seconds = floorDivided(total, 1_000_000)
        let day = floorDivided(seconds, 86_400)
        let clock = seconds - day * 86_400
        let (year, month, dayOfMonth) = civil(day)
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(dayOfMonth, 2) + separator
            + padded(clock / 3600, 2) + ":" + padded(clock / 60 % 60, 2) + ":"
            + padded(clock % 60, 2) + "." + padded(total - seconds * 1_000_000, 6)
    }

    /// Reads `YYYY-MM-DD`, blank or `T`, `HH:MM:SS`, up to nine digits of a fraction, and `Z` or
    /// an offset such as `+00:00`; without an offset it is UTC. `nil` for anything else.
    package static func parse(_ text: String) -> Date? {
        var rest = text.utf8[...]
        func number(_ digits: Int) -> Int? {
            guard rest.count >= digits else { return nil }
            var value = 0
            for byte in rest.prefix(digits) {
                guard byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") else { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
            }
            rest = rest.dropFirst(digits)
            return value
        }
        func takes(_ allowed: String) -> UInt8? {
            guard let byte = rest.first, allowed.utf8.contains(byte) else { return nil }
            rest = rest.dropFirst()
            return byte
        }
        guard let year = number(4), takes("-") != nil, let month = number(2), takes("-") != nil,
            let day = number(2), (1...12).contains(month),
            (1...daysOf(month: month, year: year)).contains(day), takes(" T") != nil,
            let hour = number(2), takes(":") != nil, let minute = number(2), hour < 24, minute < 60
        else { return nil }
        var second = 0
        if takes(":") != nil {
            guard let value = number(2), value < 60 else { return nil }
            second = value
        }
        var microseconds = 0
        if takes(".,") != nil {
            let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }.count
            guard digits >= 1 && digits <= 9, let fraction = number(digits) else { return nil }
            microseconds = fraction
            for place in 1...9 {
                if place > digits && place <= 6 { microseconds *= 10 }
                if place <= digits && place > 6 { microseconds /= 10 }
            }
        }
        var offset = 0
        if let sign = takes("+-") {
            guard let hours = number(2), hours < 24 else { return nil }
            _ = takes(":")
            let minutes = rest.isEmpty ? 0 : number(2)
            guard let minutes, minutes < 60 else { return nil }
            offset = (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
        } else {
            _ = takes("Z")
        }
        guard rest.isEmpty else { return nil }
        let days = daysSince1970(year, month, day)
        return date(
            seconds: days * 86_400 + hour * 3600 + minute * 60 + second - offset,
            microseconds: microseconds)
    }

    // MARK: Calendar

    // Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March, so that
    // the leap day is the last one.
    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = floorDivided(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
            dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = floorDivided(shiftedYear, 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            - 719_468
    }

    private static func daysOf(month: Int, year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    private static func floorDivided(_ value: Int, _ divisor: Int) -> Int {
        let quotient = value / divisor
        return quotient * divisor > value ? quotient - 1 : quotient
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(width - digits.utf8.count, 0)) + digits
    }
}
