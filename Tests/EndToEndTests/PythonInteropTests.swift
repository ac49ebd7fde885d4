// Model folders between st-host and Python's sentence-transformers, both ways: the same sentences
// must get the same vectors. `make test` makes the Python environment and names it.
import Foundation
import TestSupport
import Testing

@Suite(
    .serialized,
    .enabled(
        if: Repository.python != nil,
        "needs ST_HOST_PYTHON: a Python with sentence-transformers, which `make test` makes"))
struct PythonInteropTests {
    private static let tinyModels = ["bert", "distilbert", "modules"]
        .map { Repository.root.appending(path: "Tests/TrainingTests/Golden/model/\($0)") }
    private static let models = tinyModels + (Repository.model.map { [$0] } ?? [])
    private static let interop = Repository.root.appending(path: "Tests/EndToEndTests/Interop")

    private static let sentences = [
        "a big cat sat under the red tree .", "the dog ran", "birds fly , fish swim",
        "Ünïcödé and CAPITALS", "x", "the house is not big and the river is not slow !",
    ]

    @Test(arguments: models)
    func `a model trained and saved here gives Python the same vectors`(model: URL) throws {
        let work = try TemporaryFolder()
        defer { work.remove() }
        let saved = work.url.appending(path: "saved")
        _ = try output(of: host("train.lua", model, saved, in: work))
        try expectSameVectors(saved, in: work, changedFrom: model)
    }

    @Test(arguments: models)
    func `a model changed and saved by Python gives the same vectors here`(model: URL) throws {
        let work = try TemporaryFolder()
        defer { work.remove() }
        let saved = work.url.appending(path: "saved")
        _ = try output(of: python("change", model, saved, in: work))
        try expectSameVectors(saved, in: work, changedFrom: model)
    }

    private func expectSameVectors(
        _ model: URL, in work: TemporaryFolder, changedFrom original: URL
    ) throws {
        let file = work.url.appending(path: "sentences.txt")
        try Self.sentences.joined(separator: "\n").write(
            to: file, atomically: true, encoding: .utf8)
        let ours = try vectors(output(of: host("encode.lua", model, file, in: work)))
        let theirs = try vectors(output(of: python("encode", model, file, in: work)))
        let before = try vectors(output(of: host("encode.lua", original, file, in: work)))
        try #require(ours.count == Self.sentences.count && theirs.count == ours.count)
        for (sentence, (a, b)) in zip(Self.sentences, zip(ours, theirs)) {
            #expect(a.count == b.count)
            let difference = zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
            // Vectors of a model without Normalize are longer than 1.
            let scale = max(1, b.map { abs($0) }.max() ?? 1)
            #expect(difference <= 1e-6 * scale, "'\(sentence)' differs by \(difference)")
        }
        #expect(ours != before, "the saved model is the one from before")
    }

    private func vectors(_ text: String) throws -> [[Double]] {
        try text.split(separator: "\n").map { line in
            try line.split(separator: " ").map { try #require(Double($0)) }
        }
    }

    private func host(
        _ script: String, _ model: URL, _ file: URL, in work: TemporaryFolder
    ) -> Subprocess {
        Subprocess(
            Subprocess.host, [Self.interop.appending(path: script).path, model.path, file.path],
            in: work.url)
    }

    private func python(
        _ command: String, _ model: URL, _ file: URL, in work: TemporaryFolder
    ) throws -> Subprocess {
        Subprocess(
            try #require(Repository.python),
            [Self.interop.appending(path: "interop.py").path, command, model.path, file.path],
            in: work.url)
    }

    private func output(of process: Subprocess) throws -> String {
        let outcome = try process.run()
        try #require(outcome.status == 0, "\(process.arguments): \(outcome.errors)")
        return outcome.output
    }
}
