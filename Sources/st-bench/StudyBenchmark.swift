// The search engine alone: how the cost of a TPE trial grows with the history.
import Glibc
import Tuning
import TuningStorage

/// Trials after which a line is printed.
private let marks = [100, 300, 1_000, 2_000, 5_000, 10_000]

/// A study of four parameters (two integers, a float, a logarithmic float) with the
/// default sampler, up to `options.trials` trials: in memory, or with `options.sqlite` in a new
/// database file, every result on the disk before the next trial. With PEER=1 in the environment, the
/// same study in Python's Optuna beside it; ST_HOST_PYTHON names the interpreter.
func runStudyBenchmark(_ options: BenchmarkOptions) throws {
    let marks = marks.filter { $0 < options.trials } + [options.trials]
    let peer = try peerCurve(marks, isSQLite: options.sqlite)
    let log = OptunaLog(isColoured: false, write: { _ in })
    log.verbosity = OptunaLog.Verbosity(atLeast: 30)
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let study = try Study.create(
        storage: options.sqlite ? try RDBStorage("sqlite:///\(folder.path)/study.db") : nil,
        sampler: try TPESampler(seed: 42), directions: [.maximize], logger: log.logger)
    var done = 0
    let clock = processorSeconds()
    var lap = clock
    for mark in marks {
        try study.optimize(nTrials: mark - done) { trial in
            let epochs = Double(try trial.suggestInt("num_train_epochs", low: 1, high: 5))
            let batch = Double(
                try trial.suggestInt("per_device_train_batch_size", low: 32, high: 128))
            let warmup = try trial.suggestFloat("warmup_ratio", low: 0, high: 0.3)
            let rate = try trial.suggestFloat("learning_rate", low: 1e-6, high: 1e-4, log: true)
            func square(_ x: Double) -> Double { x * x }
            return 1 - 0.3 * square((log10(rate) + 4.7) / 2) - 2 * square(warmup - 0.1)
                - square((epochs - 3) / 10) - square((batch - 64) / 200)
        }
        let now = processorSeconds()
        let mean = (now - clock) / Double(mark) * 1e3
        let latest = (now - lap) / Double(mark - done) * 1e3
        done = mark
        lap = now
        show(options, trials: mark, mean: mean, latest: latest, peer: peer[mark])
    }
}

private func show(
    _ options: BenchmarkOptions, trials: Int, mean: Double, latest: Double, peer: Double?
) {
    func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
    let place = options.sqlite ? "SQLite" : "in memory"
    if options.json {
        let python = peer.map { ", \"python_ms_per_trial\": \(rounded($0))" } ?? ""
        print(
            "{\"name\": \"study\", \"storage\": \"\(place)\", \"trials\": \(trials), \"ms_per_trial\": \(rounded(mean)), "
                + "\"latest_ms_per_trial\": \(rounded(latest))\(python)}")
        return
    }
    var line =
        "TPE, \(place), 4 parameters: \(trials) trials, \(rounded(mean)) ms a trial, "
        + "\(rounded(latest)) ms a trial since the line before"
    if let peer { line += "; Python \(rounded(peer)) ms, \(Int((peer / mean).rounded())) x" }
    print(line)
}

/// Milliseconds a trial of Python's Optuna by number of trials; nothing unless PEER=1.
private func peerCurve(_ marks: [Int], isSQLite: Bool) throws -> [Int: Double] {
    guard getenv("PEER").map({ String(cString: $0) }) == "1" else { return [:] }
    let python = getenv("ST_HOST_PYTHON").map { String(cString: $0) } ?? "python3"
    let list = (isSQLite ? "--sqlite " : "") + marks.map(String.init).joined(separator: " ")
    guard let pipe = popen("'\(python)' scripts/dev/tpe_curve.py \(list)", "r") else {
        fail("can't start \(python)")
    }
    var curve: [Int: Double] = [:]
    var buffer = [CChar](repeating: 0, count: 256)
    while fgets(&buffer, Int32(buffer.count), pipe) != nil {
        let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        let words = text.split(whereSeparator: \.isWhitespace)
        if words.count == 2, let trials = Int(words[0]) { curve[trials] = Double(words[1]) }
    }
    guard pclose(pipe) == 0 else {
        fail("PEER=1 needs Optuna: set ST_HOST_PYTHON and start in the repository's folder")
    }
    return curve
}

/// A new folder under TMPDIR.
private struct TemporaryFolder {
    let path: String

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/st-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fail("can't make a folder in \(parent)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() {
        for name in ["study.db", "study.db-wal", "study.db-shm"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}

private func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
