// The hub as scripts use it: what several functions take for it, its downloads on the progress
// display, Ctrl-C.

import Hub
import LuaBridge
import Synchronization
import Training

extension HubAccess {
    /// `revision` and `token`, which mean the same wherever they are taken.
    init(_ arguments: LuaArguments) throws {
        self.init()
        revision = try arguments["revision"]
        let token: LuaValue = try arguments["token"]
        switch token {
        case .nil: break
        case .boolean(let isRequired): self.token = isRequired ? .required : .none
        default: self.token = .value(try arguments["token"])
        }
    }
}

extension HubClient {
    /// The client of a session.
    convenience init(cancellation: Cancellation, progress: Progress) {
        let bars = Mutex<[Int: Progress.Bar]>([:])
        self.init(
            isCancelled: { cancellation.isCancelled },
            report: { event in
                switch event {
                case .note(let line): progress.log(line)
                case .started(let id, let label, let bytes):
                    let bar = progress.bar(label, total: (bytes + 500) / 1000, unit: "kB")
                    bars.withLock { $0[id] = bar }
                case .advanced(let id, let bytes):
                    bars.withLock { $0[id] }?.set(done: (bytes + 500) / 1000)
                case .finished(let id):
                    bars.withLock { $0.removeValue(forKey: id) }?.finish()
                }
            })
    }
}
