// Timing and printing, shared by all benchmarks.
import Glibc

/// Times of repeated runs, in seconds.
struct Measurement {
    let median: Double
    /// Distance of the 10th to the 90th percentile, as a share of the median.
    let spread: Double
    /// Processor time of all threads instead of wall-clock time. Set before the first measurement.
    nonisolated(unsafe) static var usesProcessorTime = false

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(usesProcessorTime ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Runs `body` twice unmeasured, then `repetitions` times.
    init(repetitions: Int, _ body: () -> Void) {
        for _ in 0..<2 { body() }
        var seconds: [Double] = []
        for _ in 0..<repetitions {
            let start = Self.now()
            body()
            seconds.append(Self.now() - start)
        }
        seconds.sort()
        median = seconds[seconds.count / 2]
        spread = (seconds[seconds.count * 9 / 10] - seconds[seconds.count / 10]) / median
    }
}

/// One line of results.
struct BenchmarkLine {
    let name: String
    let shape: String
    let threads: Int
    let measurement: Measurement
    /// Floating-point operations and bytes moved by one run; 0 leaves the rate out.
    var operations = 0.0
    var bytes = 0.0
    var remark = ""

    func print(json: Bool) {
        let ms = measurement.median * 1e3
        let gflops = operations / measurement.median * 1e-9
        let gigabytes = bytes / measurement.median * 1e-9
        if json {
            Swift.print(
                "{\"name\": \"\(name)\", \"shape\": \"\(shape)\", \"threads\": \(threads), "
                    + "\"median_ms\": \(ms), \"spread\": \(measurement.spread), "
                    + "\"gflops\": \(gflops), \"gb_per_s\": \(gigabytes), \"remark\": \"\(remark)\"}"
            )
            return
        }
        func pad(_ text: String, _ width: Int) -> String {
            text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
        }
        func number(_ value: Double) -> String {
            value == 0
                ? "-"
                : value < 10
                    ? "\((value * 1000).rounded() / 1000)" : "\((value * 10).rounded() / 10)"
        }
        Swift.print(
            pad(name, 34), pad(shape, 22), pad("\(threads)", 3), pad(number(ms), 9) + "ms",
            pad("±\(Int((measurement.spread * 50).rounded()))%", 5),
            pad(number(gflops), 7) + "GFLOP/s", pad(number(gigabytes), 7) + "GB/s", remark)
    }
}

/// Measures a kernel on one thread and prints the line.
func report(
    _ options: BenchmarkOptions, _ name: String, _ shape: String, operations: Double = 0,
    bytes: Double = 0, _ body: () -> Void
) {
    BenchmarkLine(
        name: name, shape: shape, threads: 1,
        measurement: Measurement(repetitions: options.repetitions, body),
        operations: operations, bytes: bytes
    ).print(json: options.json)
}

/// A block of floats with values of about unit size, the same in every run.
final class Numbers {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int

    init(_ count: Int, scale: Float = 1) {
        self.count = count
        pointer = UnsafeMutableRawPointer.allocate(byteCount: 4 * count + 256, alignment: 64)
            .assumingMemoryBound(to: Float.self)
        var state: UInt32 = 12345
        for index in 0..<count {
            state = state &* 1_664_525 &+ 1_013_904_223
            pointer[index] = (Float(state >> 8) / Float(1 << 23) - 1) * scale
        }
    }

    deinit { pointer.deallocate() }
}
