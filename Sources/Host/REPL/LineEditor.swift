// Reading lines from a terminal with libedit: editing and history.

import CEdit
import Glibc

/// The terminal side of the REPL.
final class LineEditor {
    enum Line {
        case text(String)
        /// Ctrl-C: the line is thrown away.
        case interrupted
        /// Ctrl-D, or the end of the input.
        case end
    }

    private let editor: OpaquePointer
    private let history: OpaquePointer
    private var event = HistEvent()
    /// The text libedit asks for; it must outlive the call.
    private static nonisolated(unsafe) var prompt = strdup("> ")

    /// Nil when the terminal can't be set up.
    init?() {
        // Without it libedit takes the bytes of UTF-8 for characters. Only this category: numbers
        // keep their point.
        setlocale(LC_CTYPE, "")
        guard let history = history_init(),
            let editor = st_edit_init("st-host")
        else { return nil }
        self.editor = editor
        self.history = history
        st_history_size(history, &event, 1000)
        st_edit_setup(editor, history) { _ in LineEditor.prompt }
    }

    deinit {
        el_end(editor)
        history_end(history)
    }

    func read(prompt: String) -> Line {
        free(Self.prompt)
        Self.prompt = strdup(prompt)
        var count: Int32 = 0
        errno = 0
        guard let line = el_gets(editor, &count), count > 0 else {
            if count < 0, errno == EINTR {
                el_reset(editor)
                return .interrupted
            }
            return .end
        }
        let text = String(cString: line)
        if text.contains(where: { !$0.isWhitespace }) { st_history_enter(history, &event, line) }
        return .text(text.hasSuffix("\n") ? String(text.dropLast()) : text)
    }
}
