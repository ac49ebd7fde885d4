// Rows as text: a table as Optuna draws it, JSON, or CSV with one column for every parameter.

import ArgumentParser
import OrderedJSON
import Tuning

enum StudyOutput {
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case table, json, csv
    }

    static func write(_ table: StudyTable, _ format: Format) {
        switch format {
        case .table: Streams.writeOutput(drawn(table))
        case .json: Streams.writeOutput(json(table) + "\n")
        case .csv: Streams.writeOutput(csv(table))
        }
    }

    static func json(_ table: StudyTable) -> String {
        let rows = table.rows.map { row in
            JSONValue.object(JSONObject(table.columns.map { ($0, row[$0] ?? .null) }))
        }
        if table.isSingle, let row = rows.first { return row.json() }
        return JSONValue.array(rows).json()
    }

    // MARK: Table

    static func drawn(_ table: StudyTable) -> String {
        let cells = table.rows.map { row in
            table.columns.map { text(row[$0] ?? .null, column: $0) }
        }
        let widths = table.columns.indices.map { column in
            cells.reduce(table.columns[column].unicodeScalars.count) {
                max($0, $1[column].unicodeScalars.count)
            }
        }
        // A column of numbers stands at the right; empty cells don't count.
        let isNumeric = table.columns.map { column in
            table.rows.allSatisfy { row in
                switch row[column] ?? .null {
                case .int, .double, .null: true
                default: false
                }
            }
        }
        let line = "+" + widths.map { String(repeating: "-", count: $0 + 2) + "+" }.joined() + "\n"
        func drawn(_ texts: [String]) -> String {
            "|"
                + texts.indices.map { index in
                    let text = texts[index]
                    let blanks = String(
                        repeating: " ", count: widths[index] - text.unicodeScalars.count)
                    return isNumeric[index]
                        ? " \(blanks)\(text) |" : " \(text)\(blanks) |"
                }.joined() + "\n"
        }
        return line + drawn(table.columns) + line
            + cells.map { drawn($0) }.joined() + line
    }

    /// Python's `str` of a value. Directions are a tuple there.
    private static func text(_ value: JSONValue, column: String) -> String {
        switch value {
        case .null: return ""
        case .string(let text): return text
        case .array(let values) where column == "direction":
            let members = values.map { pythonRepr($0) }.joined(separator: ", ")
            return values.count == 1 ? "(\(members),)" : "(\(members))"
        default: return pythonRepr(value)
        }
    }

    // MARK: CSV

    /// RFC 4180, objects and lists spread over columns: `params_lr`, `values_0`.
    static func csv(_ table: StudyTable) -> String {
        var names: [[String]] = table.columns.map { _ in [] }
        var flat: [[JSONObject]] = []
        for row in table.rows {
            var cells: [JSONObject] = []
            for (index, column) in table.columns.enumerated() {
                let members = spread(row[column] ?? .null, column)
                cells.append(members)
                for key in members.keys where !names[index].contains(key) {
                    names[index].append(key)
                }
            }
            flat.append(cells)
        }
        // A column that is an object in no row keeps its name; one that is always empty vanishes.
        for (index, column) in table.columns.enumerated() where names[index].count > 1 {
            names[index].removeAll { $0 == column }
        }
        var text = names.joined().map(quoted).joined(separator: ",") + "\r\n"
        for cells in flat {
            var fields: [String] = []
            for (index, keys) in names.enumerated() {
                for key in keys { fields.append(quoted(field(cells[index][key] ?? .null))) }
            }
            text += fields.joined(separator: ",") + "\r\n"
        }
        return text
    }

    private static func spread(_ value: JSONValue, _ column: String) -> JSONObject {
        switch value {
        case .object(let members):
            JSONObject(members.map { (column + "_" + $0.key, $0.value) })
        case .array(let values):
            JSONObject(values.enumerated().map { (column + "_\($0.offset)", $0.element) })
        default: [column: value]
        }
    }

    private static func field(_ value: JSONValue) -> String {
        switch value {
        case .null: ""
        case .string(let text): text
        case .array, .object: value.json()
        default: pythonRepr(value)
        }
    }

    private static func quoted(_ text: String) -> String {
        let special: (Character) -> Bool = { ",\"\r\n".contains($0) || $0.isNewline }
        guard text.contains(where: special) else { return text }
        return "\""
            + text.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }
}
