// One study, many processes: st-host's and Python's, killed ones among them, and a server that
// goes away in the middle.

import Foundation
import Logging
import OrderedJSON
import TestSupport
import Testing
import Tuning
import TuningStorage

@Suite(
    .serialized,
    .enabled(
        if: FileManager.default.isExecutableFile(atPath: Subprocess.host.path),
        "needs the built st-host"))
struct WorkerTests {
    private static let interop = Repository.root.appending(path: "Tests/TuningStorageTests/Interop")

    @Test(arguments: StorageKind.shared)
    func `workers share a study without gaps, losses or trials run twice`(
        _ kind: StorageKind
    ) throws {
        let place = try kind.place()
        defer { place.remove() }
        let pythonWorkers = Repository.python == nil ? 0 : 2
        let ours = kind == .sqlite ? 2 : 4
        let study = try Study.create(storage: try place.open(), name: "s", logger: silent)
        var processes = (0..<ours).map { _ in host(place.url, trials: 50) }
        for _ in 0..<pythonWorkers {
            processes.append(try optunaProcess(["work", place.url, "s", "50"]))
        }
        for outcome in try runTogether(processes) {
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        let trials = try study.trials()
        #expect(trials.map(\.number) == Array(0..<(50 * (ours + pythonWorkers))))
        #expect(trials.allSatisfy { $0.state == .complete && $0.params.count == 2 })
        let byPython = trials.count { $0.userAttrs["worker"] == "python" }
        #expect(byPython == 50 * pythonWorkers)
        // A study opened anew reads the same.
        #expect(try place.open().trials(study.studyID, states: .all) == trials)
    }

    @Test(arguments: StorageKind.shared)
    func `killed workers lose no finished trial, and their trials are run again`(
        _ kind: StorageKind
    ) throws {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        let study = try Study.create(storage: storage, name: "s", logger: silent)
        var finished: [Int: FrozenTrial] = [:]
        for round in 0..<4 {
            let workers = try (0..<2).map { _ in try start(place.url) }
            // Long enough for both to be in the middle of trials, wherever that is; a worker killed
            // while it held a journal's lock keeps the others waiting for the 30 s of its grace.
            let before = try study.trials(.complete).count
            let deadline = Date().addingTimeInterval(90)
            while try study.trials(.complete).count < before + 3, Date() < deadline {
                usleep(20_000)
            }
            usleep(UInt32.random(in: 0..<100_000))
            for worker in workers { kill(worker.processIdentifier, SIGKILL) }
            for worker in workers { worker.waitUntilExit() }
            let trials = try place.open().trials(study.studyID, states: .all)
            #expect(trials.map(\.number) == Array(0..<trials.count), "round \(round)")
            for (number, known) in finished { #expect(trials[number] == known) }
            for trial in trials where trial.state == .complete {
                #expect(trial.values != nil && trial.params.count == 2)
                finished[trial.number] = trial
            }
        }
        #expect(finished.count >= 12)
        if kind == .journal { return }
        // Silent for longer than the grace period: failed, and queued again.
        // (One killed between its creation and its first heartbeat is nobody's, in Optuna as well.)
        let abandoned = try study.trials(.running).filter { !$0.params.isEmpty }
        sleep(4)
        var process = host(place.url, trials: abandoned.count + 2)
        process.environment = ["HEARTBEAT": "1"]
        let outcome = try process.run()
        #expect(outcome.status == 0, "\(outcome.errors)")
        for dead in abandoned {
            #expect(try storage.trial(dead.trialID).state == .fail)
            let retry = try study.trials(.complete).contains {
                RetryHeartbeatStaleTrialCallback.retryHistory($0).contains(dead.number)
            }
            #expect(retry, "trial \(dead.number) was not run again")
        }
    }

    /// Four workers, Python's among them where there is a Python.
    @Test(arguments: StorageKind.shared.filter { $0 != .journal })
    func `a study completes while a worker is killed every second and the server crashes`(
        _ kind: StorageKind
    ) throws {
        let place = try kind.place()
        defer { place.remove() }
        let server = kind == .postgresql ? try PostgreSQLServer() : nil
        let url = try server?.makeDatabase() ?? place.url
        let storage = try RDBStorage(url)
        let study = try Study.create(storage: storage, name: "s", logger: silent)
        func worker(_ index: Int) throws -> Process {
            index == 3 && Repository.python != nil
                ? try background(optunaProcess(["work", url, "s", "100000"])) : try start(url)
        }
        var workers = try (0..<4).map(worker)
        var finished: [Int: FrozenTrial] = [:]
        for round in 0..<9 {
            sleep(1)
            if round == 4 { try server?.restart() }
            for trial in try study.trials(.complete) { finished[trial.number] = trial }
            kill(workers[round % 4].processIdentifier, SIGKILL)
            workers[round % 4].waitUntilExit()
            workers[round % 4] = try worker(round % 4)
        }
        for worker in workers {
            kill(worker.processIdentifier, SIGKILL)
            worker.waitUntilExit()
        }
        #expect(finished.count >= 10)
        // Longer than the grace period; then one more worker completes what was left behind.
        sleep(4)
        var last = host(url, trials: 40)
        last.environment = ["HEARTBEAT": "1"]
        let outcome = try last.run()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let trials = try RDBStorage(url).trials(study.studyID, states: .all)
        #expect(trials.map(\.number) == Array(0..<trials.count))
        for (number, known) in finished { #expect(trials[number] == known) }
        #expect(trials.filter { $0.state == .complete }.allSatisfy { $0.params.count == 2 })
        #expect(trials.allSatisfy { $0.state != .waiting })
        try? server?.stop()
    }

    @Test(
        .enabled(
            if: PostgreSQLServer.shared != nil,
            "needs PostgreSQL's server programs, which `make test` installs"))
    func `a server that crashes twice in the middle costs nothing`() throws {
        let server = try PostgreSQLServer()
        let url = try server.makeDatabase()
        let storage = try RDBStorage(url)
        let study = try Study.create(storage: storage, name: "s", logger: silent)
        let restarts = Thread {
            for _ in 0..<2 {
                sleep(1)
                try? server.restart()
            }
        }
        restarts.start()
        for outcome in try runTogether((0..<3).map { _ in host(url, trials: 60, pause: 0.02) }) {
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        let trials = try study.trials()
        #expect(trials.map(\.number) == Array(0..<trials.count))
        let complete = trials.filter { $0.state == .complete }
        #expect(complete.count == 180 && trials.count == 180)
        #expect(complete.allSatisfy { $0.params.count == 2 && $0.userAttrs["worker"] != nil })
        try? server.stop()
    }

    // MARK: Processes

    private let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func host(_ url: String, trials: Int, pause: Double = 0) -> Subprocess {
        Subprocess(
            Subprocess.host,
            [Self.interop.appending(path: "worker.lua").path, url, "s", "\(trials)", "\(pause)"],
            in: FileManager.default.temporaryDirectory)
    }

    /// A worker with heartbeat that goes on until it is killed.
    private func start(_ url: String) throws -> Process {
        try background(host(url, trials: 1_000_000, pause: 0.02))
    }

    private func background(_ command: Subprocess) throws -> Process {
        let process = Process()
        process.executableURL = command.program
        process.arguments = command.arguments
        process.environment = ProcessInfo.processInfo.environment
            .merging(["HEARTBEAT": "1"]) { _, own in own }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Runs all at the same time, each waited for on a thread of its own.
    private func runTogether(_ processes: [Subprocess]) throws -> [Subprocess.Outcome] {
        let results = Results()
        let threads = processes.map { process in
            Thread { results.add(Result { try process.run() }) }
        }
        for thread in threads { thread.start() }
        return try results.wait(for: processes.count).map { try $0.get() }
    }

    private final class Results: @unchecked Sendable {
        private let condition = NSCondition()
        private var results: [Result<Subprocess.Outcome, any Error>] = []

        func add(_ result: Result<Subprocess.Outcome, any Error>) {
            condition.withLock { results.append(result) }
            condition.signal()
        }

        func wait(for count: Int) -> [Result<Subprocess.Outcome, any Error>] {
            condition.lock()
            defer { condition.unlock() }
            while results.count < count { condition.wait() }
            return results
        }
    }
}
