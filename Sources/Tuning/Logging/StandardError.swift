// Standard error, its colours and the clock of log lines.

package import FoundationEssentials
import Glibc

/// A local time with milliseconds.
package struct LogTime: Sendable {
    var seconds: Int
    var milliseconds: Int

    package init(seconds: Int, milliseconds: Int) {
        self.seconds = seconds
        self.milliseconds = milliseconds
    }

    /// To the millisecond below; what lies beyond the calendar of the system shows as its start.
    package init(date: Date) {
        let milliseconds = (date.timeIntervalSince1970 * 1000).rounded(.down)
        let total = Int(exactly: milliseconds) ?? 0
        let seconds = (total >= 0 ? total : total - 999) / 1000
        self.init(seconds: seconds, milliseconds: total - seconds * 1000)
    }

    static func now() -> LogTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return LogTime(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    /// "2026-11-23 20:45:04,668" in the local time zone.
    package var text: String {
        var moment = time_t(seconds)
        var local = tm()
        guard localtime_r(&moment, &local) != nil else { return "0000-00-00 00:00:00,000" }
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(width - digits.utf8.count, 0)) + digits
        }
        let date = [
            padded(Int(local.tm_year) + 1900, 4), padded(Int(local.tm_mon) + 1, 2),
            padded(Int(local.tm_mday), 2),
        ].joined(separator: "-")
        let clock = [Int(local.tm_hour), Int(local.tm_min), Int(local.tm_sec)]
            .map { padded($0, 2) }.joined(separator: ":")
        return "\(date) \(clock),\(padded(milliseconds, 3))"
    }
}

enum StandardError {
    /// Writes the whole text; what the system refuses is dropped, as there is nowhere to say so.
    @Sendable static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(
                    STDERR_FILENO, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    break
                }
            }
        }
    }

    /// FORCE_COLOR, then NO_COLOR, then whether standard error is a terminal.
    static var wantsColour: Bool {
        if getenv("FORCE_COLOR") != nil { return true }
        if getenv("NO_COLOR") != nil { return false }
        return isatty(STDERR_FILENO) != 0
    }
}
