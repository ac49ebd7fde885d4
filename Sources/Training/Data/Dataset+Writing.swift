import OrderedJSON

// Datasets as files that Python's datasets and pandas read.

extension Dataset {
    /// JSON Lines, a row a line, as pandas writes them; floats keep all their digits.
    /// - forcesASCII: `\uXXXX` for everything else.
    /// - Returns: bytes written.
    @discardableResult
    public func writeJSONLines(to path: String, forcesASCII: Bool = true) throws -> Int {
        var options = JSONWritingOptions.compact
        options.escapesNonASCII = forcesASCII
        options.escapesSlashes = true
        options.nonFiniteIsNull = true
        return try write(to: path) { row, text in
            text += JSONValue.object(try self.row(row)).json(options)
            text += "\n"
        }
    }

    /// CSV with a header; fields are quoted where they must be, null is an empty field.
    /// - Returns: bytes written.
    @discardableResult
    public func writeCSV(to path: String) throws -> Int {
        let header = columnNames.map(csvField).joined(separator: ",") + "\n"
        let columns = try columnNames.map(requireColumn)
        return try write(to: path, header: header) { row, text in
            let fields = columns.map { csvField($0.value(at: row)) }
            // A single empty field would be a blank line, which readers pass over.
            text += fields == [""] ? "\"\"" : fields.joined(separator: ",")
            text += "\n"
        }
    }

    private func write(
        to path: String, header: String = "", _ line: (Int, inout String) throws -> Void
    ) throws -> Int {
        var total = 0
        try ModelFiles.writeAtomically(path) { writer in
            var text = header
            func flush() throws {
                try text.withUTF8 { try writer.write(UnsafeRawBufferPointer($0)) }
                total += text.utf8.count
                text = ""
            }
            for row in 0..<numRows {
                try line(row, &text)
                if text.utf8.count > 1 << 20 { try flush() }
            }
            try flush()
        }
        return total
    }

    private func csvField(_ value: JSONValue) -> String {
        switch value {
        case .null: ""
        case .bool(let flag): flag ? "True" : "False"
        case .int(let number): String(number)
        case .double(let number): number.isNaN ? "" : pythonRepr(number)
        case .string(let text): csvField(text)
        case .array, .object: csvField(value.json())
        }
    }

    private func csvField(_ text: String) -> String {
        let special: Set<UInt8> = [0x22, 0x2c, 0x0a, 0x0d]
        guard text.utf8.contains(where: special.contains) else { return text }
        // Scalar by scalar: a quote and a combining mark after it are one Character.
        var quoted = String.UnicodeScalarView("\"".unicodeScalars)
        for scalar in text.unicodeScalars {
            if scalar == "\"" { quoted.append(scalar) }
            quoted.append(scalar)
        }
        return String(quoted) + "\""
    }
}
