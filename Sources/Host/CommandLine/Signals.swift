// Ctrl-C: the first stops the script at its next instruction and the training at its next step,
// the second kills the process.

import Glibc
import LuaBridge
import Synchronization

enum Signals {
    /// The session the handler speaks to: an unretained pointer, so that the handler only loads
    /// it and stores two flags.
    private static let session = Atomic<UInt>(0)

    /// Makes SIGINT interrupt `session`, which must outlive the matching ``releaseInterrupt()``.
    static func catchInterrupt(for session: HostSession) {
        let pointer = UInt(bitPattern: Unmanaged.passUnretained(session).toOpaque())
        Self.session.store(pointer, ordering: .sequentiallyConsistent)
        // The kernel gives the signal to the first thread, which is ours, whenever it can.
        session.lua.interruptsBySignal()
        install(oneShot: true)
        // A parent may have started us with the signal blocked, as threads of libdispatch do.
        var mask = sigset_t()
        sigemptyset(&mask)
        sigaddset(&mask, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    }

    /// Back to the default: SIGINT kills.
    static func releaseInterrupt() {
        session.store(0, ordering: .sequentiallyConsistent)
        signal(SIGINT, SIG_DFL)
    }

    /// - oneShot: whether the next signal after this one kills.
    static func install(oneShot: Bool) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in
            let bits = Signals.session.load(ordering: .relaxed)
            guard let pointer = UnsafeRawPointer(bitPattern: bits) else { return }
            Unmanaged<HostSession>.fromOpaque(pointer)._withUnsafeGuaranteedRef { $0.interrupt() }
        }
        sigemptyset(&action.sa_mask)
        // No SA_RESTART: a script that waits for input stops waiting.
        action.sa_flags = oneShot ? Int32(bitPattern: UInt32(SA_RESETHAND)) : 0
        sigaction(SIGINT, &action, nil)
    }
}
