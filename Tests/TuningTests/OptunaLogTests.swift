// Log lines, byte for byte but for the time. The scenario is that of log_lines() in
// scripts/golden/tuning.py.

import Foundation
import Logging
import OrderedJSON
import Synchronization
import Testing

import Tuning

struct OptunaLogTests {
    /// A log that keeps its lines.
    final class Lines: Sendable {
        private let text = Mutex("")

        func log(isColoured: Bool = false) -> OptunaLog {
            OptunaLog(
                isColoured: isColoured, write: { line in self.text.withLock { $0 += line } },
                now: { LogTime(seconds: 1_795_466_704, milliseconds: 68) })
        }

        var all: String { text.withLock { $0 } }
    }

    @Test func `the lines of a study are Optuna's`() throws {
        let lines = Lines()
        let logger = lines.log().logger
        let storage = InMemoryStorage()
        func random() throws -> RandomSampler { try RandomSampler(seed: 1) }
        let study = try Study.create(
            storage: storage, sampler: try random(), name: "lines", logger: logger)
        try study.enqueueTrial(["x": 1])
        try study.optimize(OptimizeOptions(nTrials: 11)) { trial -> ObjectiveResult in
            if trial.number == 1 {
                _ = try trial.suggestCategorical("it's", choices: ["a'b", .null, true, 1, 2.5])
            } else {
                _ = try trial.suggestFloat("x", low: 0, high: 1)
            }
            if trial.number == 2 { throw TrialPruned("not good enough") }
            if trial.number == 3 { throw TrialPruned() }
            let results: [ObjectiveResult] = [
                0.25, 1e-7, 0.0, 0.0, .single(.double(.nan)), .none, .single("a"), [1.0, 2.0],
                .single(.double(.infinity)), .single(true), .single(3),
            ]
            return results[trial.number]
        }
        try study.enqueueTrial(["x": 0.5])
        try study.enqueueTrial(["x": 0.5], skipIfExists: true)
        _ = try Study.create(storage: storage, name: "lines", loadIfExists: true, logger: logger)
        _ = try Study.load(name: nil, storage: storage, logger: logger)
        try study.tell(0, 1.0, skipIfFinished: true)
        try study.setMetricNames(["loss"])
        try study.optimize(nTrials: 1) { _ in 2 }
        let two = try Study.create(
            storage: storage, sampler: try random(), name: "two",
            directions: [.minimize, .maximize], logger: logger)
        try two.optimize(OptimizeOptions(nTrials: 1)) { _ -> [Double] in [0.5, 2] }
        try two.setMetricNames(["a", "b"])
        try two.optimize(OptimizeOptions(nTrials: 1)) { _ -> [Double] in [0.5, 2] }
        let constrained = try Study.create(
            storage: storage, sampler: try random(), name: "constrained", logger: logger)
        try constrained.optimize(nTrials: 1) { trial in
            try trial.setConstraint("c", 1)
            return 1
        }
        let found = lines.all.split(separator: "\n", omittingEmptySubsequences: false)
            .map { masked(String($0)) }
        let wanted = try goldenText("log.txt")
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(found.count == wanted.count)
        for (found, wanted) in zip(found, wanted) { #expect(found == wanted) }
    }

    /// The line with TIME in place of the time.
    private func masked(_ line: String) -> String {
        guard line.hasPrefix("["), let end = line.firstIndex(of: "]") else { return line }
        return line.prefix(2) + " TIME" + line[end...]
    }

    @Test func `the bracket holds level and local time with milliseconds`() throws {
        let lines = Lines()
        lines.log().logger.warning("careful")
        var moment = time_t(1_795_466_704)
        var local = tm()
        localtime_r(&moment, &local)
        let wanted = String(
            format: "[W %04d-%02d-%02d %02d:%02d:%02d,068] careful\n", Int(local.tm_year) + 1900,
            Int(local.tm_mon) + 1, Int(local.tm_mday), Int(local.tm_hour), Int(local.tm_min),
            Int(local.tm_sec))
        #expect(lines.all == wanted)
    }

    @Test func `colours stand around the bracket`() {
        let lines = Lines()
        let logger = lines.log(isColoured: true).logger
        logger.info("a")
        logger.error("b")
        logger.critical("c")
        let parts = lines.all.split(separator: "\n")
        #expect(parts[0].hasPrefix("\u{1b}[32m[I ") && parts[0].hasSuffix("]\u{1b}[0m a\u{1b}[0m"))
        #expect(parts[1].hasPrefix("\u{1b}[31m[E "))
        #expect(parts[2].hasPrefix("\u{1b}[1;31m[C "))
    }

    @Test func `verbosity reaches loggers already handed out`() {
        let lines = Lines()
        let log = lines.log()
        let logger = log.logger
        logger.debug("hidden")
        log.verbosity = .warning
        logger.info("hidden")
        logger.warning("shown")
        log.isEnabled = false
        logger.warning("hidden")
        #expect(lines.all.hasSuffix("] shown\n") && !lines.all.contains("hidden"))
        #expect(OptunaLog.Verbosity(atLeast: 25) == .warning)
        #expect(OptunaLog.Verbosity(atLeast: 99) == .critical)
    }

    @Test func `a failed trial logs its error, its traceback and no value`() throws {
        struct Boom: Error, CustomStringConvertible { var description: String { "boom" } }
        let lines = Lines()
        let study = try Study.create(
            sampler: try RandomSampler(seed: 1), name: "s", logger: lines.log().logger)
        var options = OptimizeOptions(nTrials: 1)
        options.catches = { _ in true }
        options.describeFailure = { TrialFailure("s.lua:3: \($0)", traceback: "stack traceback:") }
        try study.optimize(options) { trial -> [Double] in
            _ = try trial.suggestInt("n", low: 1, high: 1)
            throw Boom()
        }
        let found = lines.all.split(separator: "\n").map { masked(String($0)) }
        #expect(
            found.dropFirst() == [
                "[W TIME] Trial 0 failed with parameters: {'n': 1} because of the following error: "
                    + "s.lua:3: boom.", "stack traceback:",
                "[W TIME] Trial 0 failed with value None.",
            ])
        #expect(try study.trials()[0].failReason == "s.lua:3: boom")
    }
}
