// Journals that writers were killed in, and lines that are none.

import Foundation
import Logging
import TestSupport
import Testing
import Tuning
import TuningStorage

struct JournalTests {
    private let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A journal with one study and two finished trials.
    private func journal(_ folder: TemporaryFolder) throws -> (path: String, text: String) {
        let path = folder.url.appending(path: "journal.log").path
        let study = try Study.create(
            storage: try JournalStorage(JournalFileBackend(path)), name: "j", logger: silent)
        try study.optimize(nTrials: 2) { try $0.suggestFloat("x", low: 0, high: 1) }
        return (path, try String(contentsOfFile: path, encoding: .utf8))
    }

    @Test func `a journal cut off anywhere opens, and is written on`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let (path, text) = try journal(folder)
        let firstLine = try #require(text.firstIndex(of: "\n")).utf16Offset(in: text)
        for length in stride(from: firstLine + 1, through: text.utf8.count, by: 7) {
            try Data(text.utf8.prefix(length)).write(to: URL(filePath: path))
            let study = try Study.load(
                name: "j", storage: try JournalStorage(JournalFileBackend(path)), logger: silent)
            let before = try study.trials().count
            try study.optimize(nTrials: 1) { try $0.suggestFloat("x", low: 0, high: 1) }
            let again = try JournalStorage(JournalFileBackend(path))
            let trials = try again.trials(study.studyID, states: .all)
            #expect(trials.count == before + 1 && trials.last?.state == .complete)
        }
    }

    @Test func `a folder, a device or a pipe is no journal`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let pipe = folder.url.appending(path: "pipe").path
        #expect(mkfifo(pipe, 0o600) == 0)
        for path in [folder.url.path, "/dev/null", pipe] {
            let error = try #require(throws: TuningError.self) { try JournalFileBackend(path) }
            #expect("\(error)".contains("journal"), "\(error)")
        }
        let error = try #require(throws: TuningError.self) {
            try JournalFileBackend(folder.url.path, creates: false)
        }
        #expect("\(error)".contains("is no regular file"), "\(error)")
    }

    @Test(arguments: [
        "no json", "[]", "{}", #"{"op_code": 99, "worker_id": "w"}"#, #"{"op_code": "0"}"#,
        #"{"op_code": 0, "worker_id": "w", "study_name": 1, "directions": [1]}"#,
        #"{"op_code": 4, "worker_id": "w", "study_id": 0, "state": 77}"#,
        #"{"op_code": 4, "worker_id": "w", "study_id": 0, "datetime_start": "yesterday"}"#,
        #"{"op_code": 5, "worker_id": "w", "trial_id": 0, "param_name": "x", "#
            + #""param_value_internal": 1, "distribution": "{}"}"#,
        #"{"op_code": 4, "worker_id": "w", "study_id": 0, "params": {"x": 1}}"#,
    ])
    func `a line that is none is an error that says where`(line: String) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let (path, text) = try journal(folder)
        try (text + line + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let error = try #require(throws: TuningError.self) {
            _ = try JournalStorage(JournalFileBackend(path))
        }
        #expect("\(error)".contains("byte \(text.utf8.count) begins a line"), "\(error)")
    }

    @Test func `operations on what is not there change nothing`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let (path, text) = try journal(folder)
        let lines = [
            #"{"op_code": 1, "worker_id": "w", "study_id": 5}"#,
            #"{"op_code": 6, "worker_id": "w", "trial_id": 99, "state": 1, "values": [1]}"#,
            #"{"op_code": 6, "worker_id": "w", "trial_id": 0, "state": 3, "values": null}"#,
            #"{"op_code": 10, "worker_id": "w", "trial_ids": [0]}"#,
        ]
        try (text + lines.joined(separator: "\n") + "\n").write(
            toFile: path, atomically: true, encoding: .utf8)
        let storage = try JournalStorage(JournalFileBackend(path))
        let trials = try storage.trials(0, states: .all)
        #expect(trials.map(\.state) == [.complete, .complete])
    }

    @Test func `the lock of a dead writer is broken after its grace period`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let (path, _) = try journal(folder)
        try FileManager.default.createSymbolicLink(
            atPath: path + ".lock", withDestinationPath: path)
        let storage = try JournalStorage(
            JournalFileBackend(path, lock: JournalFileLock(path, gracePeriod: 1)))
        _ = try storage.createTrial(0, template: nil)
        #expect(try storage.trials(0, states: .all).count == 3)
        #expect(!FileManager.default.fileExists(atPath: path + ".lock"))
    }
}
