// How the REPL shows values: tables with their fields, datasets and studies with a few rows, other
// objects as `print` does. Never more than about a screen.

package import LuaBridge
import OrderedJSON
import Training
import Tuning

/// Makes the text of a value.
package struct ValuePrinter {
    private enum Limit {
        static let depth = 6
        /// Fields of one table, and of all together.
        static let fields = 50
        static let allFields = 400
        static let text = 200
        static let cell = 40
        static let rows = 10
    }

    private let session: HostSession
    private let style: TextStyle
    private let width: Int

    package init(_ session: HostSession, style: TextStyle = .plain, width: Int = 80) {
        self.session = session
        self.style = style
        self.width = max(20, width)
    }

    package func text(_ value: LuaValue) throws -> String {
        switch value {
        case .string(let text): return text.repaired  // as lua(1): what is in it, without quotes
        case .table(let table):
            if let trials = try trials(in: table) { return grid(of: trials) }
            var budget = Limit.allFields
            return try text(of: table, indent: 0, above: [], &budget)
        case .object:
            if let dataset = value.object(as: Dataset.self) { return try text(of: dataset, value) }
            if let study = value.object(as: Study.self) { return try text(of: study, value) }
            if let trial = value.object(as: FrozenTrialObject.self) { return text(of: trial.trial) }
            if let trial = value.object(as: Trial.self),
                let record = try trial.study.trials().first(where: { $0.number == trial.number })
            {
                return text(of: record)
            }
            return try plain(value)
        case .integer, .number: return style.number(try plain(value))
        default: return try plain(value)
        }
    }

    /// `tostring(value)`
    private func plain(_ value: LuaValue) throws -> String {
        let tostring: LuaFunction = try session.lua.globals.get("tostring")
        let text: LuaString = try tostring.call(value)
        return text.repaired
    }

    // MARK: - Tables

    private func text(
        of table: LuaTable, indent: Int, above: [UInt], _ budget: inout Int
    ) throws -> String {
        if let metatable = try table.metatable, try !metatable.rawGet("__tostring").isNil {
            return try plain(.table(table))
        }
        let address = table.address
        if above.contains(address) { return "<the table itself>" }
        if above.count >= Limit.depth { return "{ ... }" }
        let count = try table.rawCount
        var fields: [(label: String, value: LuaValue)] = []
        for i in stride(from: 1, through: min(count, Limit.fields), by: 1) {
            fields.append(("", try table.rawGet(i)))
        }
        var isCut = count > Limit.fields
        var named: [(key: LuaValue, value: LuaValue)] = []
        if !isCut {
            let all = try table.pairs(limit: 4 * Limit.fields)
            named = all.filter { key, _ in !(key.integer.map { $0 >= 1 && $0 <= count } ?? false) }
            isCut = all.count >= 4 * Limit.fields || named.count > Limit.fields
        }
        let labelled = try named.map { (label: try label($0.key), value: $0.value) }
            .sorted {
                ($0.label.first == "[" ? 1 : 0, $0.label) < (
                    $1.label.first == "[" ? 1 : 0, $1.label
                )
            }
        fields += labelled.prefix(Limit.fields)
        if fields.isEmpty { return "{}" }
        var parts: [String] = []
        for (label, value) in fields {
            budget -= 1
            if budget < 0 {
                isCut = true
                break
            }
            let start = label.isEmpty ? "" : "\(style.name(label)) = "
            parts.append(
                start + (try nested(value, indent: indent + 2, above: above + [address], &budget)))
        }
        if isCut { parts.append(count > Limit.fields ? "... (\(count) elements)" : "...") }
        let line = "{ \(parts.joined(separator: ", ")) }"
        if visibleWidth(line) + indent <= width, !line.contains("\n") { return line }
        let inner = String(repeating: " ", count: indent + 2)
        if labelled.isEmpty, parts.allSatisfy({ visibleWidth($0) <= 24 && !$0.contains("\n") }) {
            return "{\n" + filled(parts, indent: inner) + "\n"
                + String(repeating: " ", count: indent) + "}"
        }
        return "{\n" + parts.map { inner + $0 }.joined(separator: ",\n") + "\n"
            + String(repeating: " ", count: indent) + "}"
    }

    /// As many short elements on a line as fit.
    private func filled(_ parts: [String], indent: String) -> String {
        var lines: [String] = []
        var line = indent
        for (i, part) in parts.enumerated() {
            let text = i == parts.count - 1 ? part : part + ","
            if line != indent, visibleWidth(line) + 1 + visibleWidth(text) > width {
                lines.append(line)
                line = indent
            }
            line += (line == indent ? "" : " ") + text
        }
        return (lines + [line]).joined(separator: "\n")
    }

    /// As it is shown within a table: strings in quotes.
    func nested(_ value: LuaValue) throws -> String {
        var budget = Limit.allFields
        return try nested(value, indent: 0, above: [], &budget)
    }

    private func nested(
        _ value: LuaValue, indent: Int, above: [UInt], _ budget: inout Int
    ) throws -> String {
        switch value {
        case .string(let text): return style.string(quoted(text.repaired))
        case .table(let table):
            return try self.text(of: table, indent: indent, above: above, &budget)
        case .integer, .number: return style.number(try plain(value))
        default:
            // One line of an object; all of it when it is asked for itself.
            let text = try plain(value)
            guard let end = text.firstIndex(of: "\n") else { return text }
            return text[..<end] + " ..."
        }
    }

    private func label(_ key: LuaValue) throws -> String {
        guard let name = key.string else { return "[\(try plain(key))]" }
        let isName =
            !name.isEmpty && name.utf8.allSatisfy { LuaLexer.isNameByte($0) }
            && !LuaLexer.isDigit(name.utf8.first ?? 0) && !LuaLexer.keywords.contains(name)
        return isName ? name : "[\(quoted(name))]"
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars.prefix(Limit.text) {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 32 || scalar.value == 127: result += "\\\(scalar.value)"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + (text.unicodeScalars.count > Limit.text ? "\"..." : "\"")
    }

    /// Without colours.
    private func visibleWidth(_ text: String) -> Int {
        var count = 0
        var isInEscape = false
        for character in text {
            if character == "\u{1B}" {
                isInEscape = true
            } else if isInEscape {
                if character == "m" { isInEscape = false }
            } else {
                count += 1
            }
        }
        return count
    }

    // MARK: - Datasets, studies, trials

    private func text(of dataset: Dataset, _ value: LuaValue) throws -> String {
        let shown = min(3, dataset.numRows)
        guard shown > 0, !dataset.columnNames.isEmpty else { return try plain(value) }
        let rows = try (0..<shown).map { row in
            let fields = try dataset.row(row)
            return dataset.columnNames.map { cell(fields[$0] ?? .null) }
        }
        let rest = dataset.numRows > shown ? "\n... \(dataset.numRows - shown) more rows" : ""
        return try plain(value) + "\n" + grid(dataset.columnNames, rows) + rest
    }

    private func text(of study: Study, _ value: LuaValue) throws -> String {
        let trials = try study.trials()
        var text = try plain(value)
        if !trials.isEmpty { text += "\n" + grid(of: trials) }
        if study.directions.count == 1, let best = try? study.bestTrial() {
            text += "\nbest: trial \(best.number), \(best.values.map { pythonRepr($0) } ?? "")"
        }
        return text
    }

    private func text(of trial: FrozenTrial) -> String {
        grid(of: [trial])
    }

    /// The trials, when the table is a sequence of nothing else.
    private func trials(in table: LuaTable) throws -> [FrozenTrial]? {
        let count = try table.rawCount
        guard count > 0, try table.rawGet(1).object(as: FrozenTrialObject.self) != nil else {
            return nil
        }
        var trials: [FrozenTrial] = []
        for i in 1...count {
            guard let object = try table.rawGet(i).object(as: FrozenTrialObject.self) else {
                return nil
            }
            trials.append(object.trial)
        }
        return trials
    }

    private func grid(of trials: [FrozenTrial]) -> String {
        var names: [String] = []
        for trial in trials {
            for (name, _) in trial.params where !names.contains(name) { names.append(name) }
        }
        let shown = trials.suffix(Limit.rows)
        let rows = shown.map { trial in
            [
                "\(trial.number)", trial.state.name,
                trial.values.map { $0.map { pythonRepr($0) }.joined(separator: ", ") } ?? "",
            ] + names.map { name in trial.params[name].map { cell($0.jsonValue) } ?? "" }
        }
        let cut = trials.count - shown.count
        return (cut > 0 ? "... \(cut) earlier trials\n" : "")
            + grid(["trial", "state", "value"] + names, rows)
    }

    private func cell(_ value: JSONValue) -> String {
        let text: String
        switch value {
        case .null: text = "nil"
        case .string(let string): text = String(string.map { $0.isNewline ? " " : $0 })
        default: text = value.json()
        }
        return text.count > Limit.cell ? String(text.prefix(Limit.cell - 3)) + "..." : text
    }

    private func grid(_ headings: [String], _ rows: [[String]]) -> String {
        let widths = headings.indices.map { column in
            ([headings] + rows).map { $0[column].count }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let padded = zip(cells, widths).map { text, width in
                text + String(repeating: " ", count: width - text.count)
            }
            return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }
        return ([style.heading(line(headings))] + rows.map(line)).joined(separator: "\n")
    }
}
