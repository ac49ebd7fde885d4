// Where the trainers of one script object write their warnings: each once, however many trials a
// search has, and above the progress bars.

import Logging
import Synchronization

final class TrainerWarnings: Sendable {
    private let progress: Progress
    private let said = Mutex<Set<String>>([])

    init(_ progress: Progress) { self.progress = progress }

    var logger: Logger { Logger(label: "trainer") { _ in Handler(warnings: self) } }

    private func write(_ message: String) {
        if said.withLock({ $0.insert(message).inserted }) { progress.log("warning: \(message)") }
    }

    private struct Handler: LogHandler {
        let warnings: TrainerWarnings
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.warning

        init(warnings: TrainerWarnings) { self.warnings = warnings }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { warnings.write(event.message.description) }
    }
}
