// Standard output and standard error through C's streams, which Lua's `print` uses, too: so the
// order of what is printed is the order in which it appears.

@preconcurrency import Glibc  // stdout and stderr are variables there

enum Streams {
    static func writeOutput(_ text: String) {
        write(text, to: stdout)
        fflush(stdout)
    }

    /// What the script has printed so far comes first.
    static func writeError(_ text: String) {
        fflush(stdout)
        write(text, to: stderr)
    }

    /// Bytes and not a C string: there may be a zero byte in the text.
    private static func write(_ text: String, to stream: UnsafeMutablePointer<FILE>?) {
        var text = text
        text.withUTF8 { _ = fwrite($0.baseAddress, 1, $0.count, stream) }
    }

    static func flushOutput() { fflush(stdout) }

    /// Runs `body` with everything that is printed going to standard error, if asked to.
    static func redirectingOutput<R>(_ isAsked: Bool, _ body: () throws -> R) throws -> R {
        guard isAsked else { return try body() }
        fflush(stdout)
        let own = dup(STDOUT_FILENO)
        guard own >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else {
            throw HostError.usage("standard output: \(String(cString: strerror(errno)))")
        }
        defer {
            fflush(stdout)
            dup2(own, STDOUT_FILENO)
            close(own)
        }
        return try body()
    }

    /// Ends standard output: why not all of it was written, if it was not.
    static func outputProblem() -> String? {
        let isFlushed = fflush(stdout) == 0
        let reason = errno
        guard !isFlushed || ferror(stdout) != 0 else { return nil }
        let why = isFlushed ? "" : " (\(String(cString: strerror(reason))))"
        return "standard output can't be written\(why)"
    }
}
