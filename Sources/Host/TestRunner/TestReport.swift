// Results of tests as text: plain lines, TAP 13, JUnit XML.

/// Makes the report of a run.
package enum TestReport {
    package enum Format: String, CaseIterable, Sendable { case plain, tap, junit }

    /// "3 passed, 1 failed"
    package static func lastLine(_ results: [TestResult]) -> String {
        func count(_ outcome: TestResult.Outcome) -> Int {
            results.count { $0.outcome == outcome }
        }
        return "\(count(.passed)) passed, \(count(.failed)) failed"
    }

    package static func text(_ results: [TestResult], _ format: Format) -> String {
        switch format {
        case .plain: plain(results)
        case .tap: tap(results)
        case .junit: junit(results)
        }
    }

    private static func title(_ result: TestResult) -> String {
        result.name == result.file ? result.file : "\(result.file): \(result.name)"
    }

    private static func plain(_ results: [TestResult]) -> String {
        results.map { result in
            let message = result.message.isEmpty ? "" : "\n" + indented(result.message, "        ")
            switch result.outcome {
            case .passed: return "ok      \(title(result))\n"
            case .pending:
                return "pending \(title(result))"
                    + (result.message.isEmpty ? "" : " (\(result.message))") + "\n"
            case .failed: return "FAILED  \(title(result))\(message)\n"
            }
        }.joined()
    }

    private static func tap(_ results: [TestResult]) -> String {
        var text = "TAP version 13\n1..\(results.count)\n"
        for (i, result) in results.enumerated() {
            // '#' begins a directive.
            let name = title(result).replacing("#", with: "\\#").replacing("\n", with: " ")
            switch result.outcome {
            case .passed: text += "ok \(i + 1) - \(name)\n"
            case .pending: text += "ok \(i + 1) - \(name) # SKIP \(result.message)\n"
            case .failed:
                text +=
                    "not ok \(i + 1) - \(name)\n  ---\n  message: |\n"
                    + indented(result.message, "    ") + "\n  ...\n"
            }
        }
        return text
    }

    private static func junit(_ results: [TestResult]) -> String {
        var files: [String] = []
        for result in results where !files.contains(result.file) { files.append(result.file) }
        func count(_ list: [TestResult], _ outcome: TestResult.Outcome) -> Int {
            list.count { $0.outcome == outcome }
        }
        func totals(_ list: [TestResult]) -> String {
            "tests=\"\(list.count)\" failures=\"\(count(list, .failed))\""
                + " skipped=\"\(count(list, .pending))\""
                + " time=\"\(seconds(list.reduce(0) { $0 + $1.seconds }))\""
        }
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites \(totals(results))>\n"
        for file in files {
            let list = results.filter { $0.file == file }
            text += "  <testsuite name=\"\(escaped(file))\" \(totals(list))>\n"
            for result in list {
                let start =
                    "    <testcase classname=\"\(escaped(file))\" name=\"\(escaped(result.name))\""
                    + " time=\"\(seconds(result.seconds))\""
                let first = result.message.prefix { $0 != "\n" }
                switch result.outcome {
                case .passed: text += start + "/>\n"
                case .pending:
                    text +=
                        start + ">\n      <skipped message=\"\(escaped(String(first)))\"/>\n"
                        + "    </testcase>\n"
                case .failed:
                    text +=
                        start + ">\n      <failure message=\"\(escaped(String(first)))\">"
                        + "\(escaped(result.message))</failure>\n    </testcase>\n"
                }
            }
            text += "  </testsuite>\n"
        }
        return text + "</testsuites>\n"
    }

    private static func indented(_ text: String, _ indent: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { indent + $0 }.joined(separator: "\n")
    }

    /// Milliseconds are enough.
    private static func seconds(_ value: Double) -> String {
        guard let thousandths = Int(exactly: (value * 1000).rounded()) else { return "0.000" }
        return "\(thousandths / 1000).\(String(1000 + thousandths % 1000).dropFirst())"
    }

    /// For text and attributes; characters that XML 1.0 doesn't have become U+FFFD.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "&#10;"
            case "\t": result += "&#9;"
            case "\r": result += "&#13;"
            case _ where scalar.value < 32 || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
                result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
