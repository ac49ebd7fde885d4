import OrderedJSON

/// Reads plain text into one column, "text": a row per line, paragraph or file.
public struct TextOptions: Sendable {
    public enum Unit: String, Sendable, CaseIterable {
        case line, paragraph, document
    }

    public var sampleBy: Unit
    /// Keep the "\n" at the end of lines.
    public var keepsLineBreaks: Bool

    public init(sampleBy: Unit = .line, keepsLineBreaks: Bool = false) {
        self.sampleBy = sampleBy
        self.keepsLineBreaks = keepsLineBreaks
    }
}

struct TextDatasetReader {
    var options = TextOptions()

    func read(_ path: String, into builder: inout RowBuilder) throws {
        let bytes = try DataFile.read(path)
        guard !bytes.isEmpty else { throw JSONDatasetReader.empty(path) }
        let text = universalLineBreaks(bytes)
        guard String(validating: text, as: UTF8.self) != nil else {
            throw TrainingError.file(
                path: path, problem: "is not valid UTF-8", hint: "convert the file to UTF-8")
        }
        func append(_ slice: ArraySlice<UInt8>) {
            builder.append(["text": .string(String(decoding: slice, as: UTF8.self))])
        }
        switch options.sampleBy {
        case .document: append(text[...])
        case .paragraph:
            var start = 0
            var index = 0
            while index + 1 < text.count {
                guard text[index] == 0x0a, text[index + 1] == 0x0a else {
                    index += 1
                    continue
                }
                if index > start { append(text[start..<index]) }
                index += 2
                start = index
            }
            if start < text.count { append(text[start...]) }
        case .line:
            var start = 0
            for index in text.indices where text[index] == 0x0a {
                append(text[start..<(options.keepsLineBreaks ? index + 1 : index)])
                start = index + 1
            }
            if start < text.count { append(text[start...]) }
        }
    }

    /// "\r\n" and "\r" become "\n".
    private func universalLineBreaks(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(0x0d) else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for (index, byte) in bytes.enumerated() {
            if byte == 0x0d {
                result.append(0x0a)
            } else if byte != 0x0a || index == 0 || bytes[index - 1] != 0x0d {
                result.append(byte)
            }
        }
        return result
    }
}
