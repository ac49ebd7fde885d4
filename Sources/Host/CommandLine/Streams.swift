// Standard output and standard error through C's streams, which Lua's `print` uses, too: so the
// order of what is printed is the order in which it appears.

@preconcurrency import Glibc  // stdout and stderr are variables there

enum Streams {
    static func writeOutput(_ text: String) {
        fputs(text, stdout)
        fflush(stdout)
    }

    /// What the script has printed so far comes first.
    static func writeError(_ text: String) {
        fflush(stdout)
        fputs(text, stderr)
    }

    static func flushOutput() { fflush(stdout) }
}
