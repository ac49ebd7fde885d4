// The program of docs/embedding.md, built as a target of this package.

import Foundation
import TestSupport
import Testing

struct EmbeddingTests {
    @Test func `the example prints what its page says`() throws {
        let work = try TemporaryFolder()
        defer { work.remove() }
        let program = Subprocess.host.deletingLastPathComponent()
            .appending(path: "embedding-example")
        let outcome = try Subprocess(program, [], in: work.url).run()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let page = try String(
            contentsOf: Repository.root.appending(path: "docs/embedding.md"), encoding: .utf8)
        let promised = page.split(separator: "\n").filter { $0.hasPrefix("    ") }
            .map { $0.dropFirst(4) }.joined(separator: "\n")
        #expect(outcome.output == promised + "\n")
    }
}
