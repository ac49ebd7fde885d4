// Reading lines from a terminal with libedit: editing, history, completion.

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
    private let kept: LineHistory?
    /// Gets the line up to the cursor.
    private let complete: (String) -> Completion
    /// The text libedit asks for; it must outlive the call.
    private static nonisolated(unsafe) var prompt = strdup("> ")

    /// Nil when the terminal can't be set up.
    init?(history kept: LineHistory?, complete: @escaping (String) -> Completion) {
        self.kept = kept
        self.complete = complete
        // Without it libedit takes the bytes of UTF-8 for characters. Only this category: numbers
        // keep their point.
        setlocale(LC_CTYPE, "")
        guard let history = history_init(),
            let editor = st_edit_init("st-host")
        else { return nil }
        self.editor = editor
        self.history = history
        st_history_size(history, &event, Int32(LineHistory.limit))
        for line in kept?.load() ?? [] { st_history_enter(history, &event, line + "\n") }
        st_edit_setup(editor, history) { _ in LineEditor.prompt }
        st_edit_complete(editor, Unmanaged.passUnretained(self).toOpaque()) { editor, _ in
            guard let editor, let owner = st_edit_owner(editor) else { return UInt8(CC_ERROR) }
            return Unmanaged<LineEditor>.fromOpaque(owner).takeUnretainedValue().completeWord()
        }
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
        let entered = text.hasSuffix("\n") ? String(text.dropLast()) : text
        if entered.contains(where: { !$0.isWhitespace }) {
            st_history_enter(history, &event, line)
            kept?.append(entered)
        }
        return .text(entered)
    }

    // MARK: - Tab

    private func completeWord() -> UInt8 {
        guard let line = el_line(editor), let start = line.pointee.buffer,
            let cursor = line.pointee.cursor
        else { return UInt8(CC_ERROR) }
        let bytes = UnsafeRawBufferPointer(start: start, count: cursor - start)
        let before = String(decoding: bytes, as: UTF8.self)
        let completion = complete(before)
        if let hint = completion.hint { return show([hint]) }
        guard !completion.candidates.isEmpty else { return UInt8(CC_REFRESH_BEEP) }
        let common = completion.commonPrefix
        if common.utf8.count > completion.wordLength {
            let rest = String(decoding: common.utf8.dropFirst(completion.wordLength), as: UTF8.self)
            return el_insertstr(editor, rest) == 0 ? UInt8(CC_REFRESH) : UInt8(CC_ERROR)
        }
        return completion.candidates.count == 1
            ? UInt8(CC_REFRESH) : show(completion.candidates)
    }

    /// Writes the words below the line, in columns; libedit draws the line again.
    private func show(_ words: [String]) -> UInt8 {
        let limit = 200
        let shown = words.prefix(limit).map { $0.hasSuffix(" = ") ? String($0.dropLast(3)) : $0 }
        let column = (shown.map(\.count).max() ?? 0) + 2
        let perLine = max(1, Self.columns / column)
        var text = "\n"
        for (i, word) in shown.enumerated() {
            let isLast = i % perLine == perLine - 1 || i == shown.count - 1
            text += isLast ? word + "\n" : word + String(repeating: " ", count: column - word.count)
        }
        if words.count > limit { text += "... and \(words.count - limit) more\n" }
        Streams.writeOutput(text)
        return UInt8(CC_REDISPLAY)
    }

    static var columns: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
