// Colours of the REPL, where the terminal and the user want them.

import Glibc

/// Marks kinds of text; adds nothing when colours are off.
package struct TextStyle: Sendable {
    package let isColoured: Bool

    package init(isColoured: Bool) { self.isColoured = isColoured }

    package static let plain = TextStyle(isColoured: false)

    /// Colours on a terminal that has them, unless NO_COLOR is set (https://no-color.org).
    package static func forTerminal(_ descriptor: Int32) -> TextStyle {
        func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
        let isCapable = !["", "dumb"].contains(variable("TERM"))
        return TextStyle(
            isColoured: isatty(descriptor) != 0 && isCapable && variable("NO_COLOR").isEmpty)
    }

    func heading(_ text: String) -> String { wrapped(text, "1") }
    func name(_ text: String) -> String { wrapped(text, "36") }
    func string(_ text: String) -> String { wrapped(text, "32") }
    func number(_ text: String) -> String { wrapped(text, "33") }
    func faint(_ text: String) -> String { wrapped(text, "2") }
    func error(_ text: String) -> String { wrapped(text, "31") }

    private func wrapped(_ text: String, _ code: String) -> String {
        isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
