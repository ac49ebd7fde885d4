// The manual page, made of what --help says: `st-host generate man FILE` writes it, a test keeps the
// committed one equal.

import ArgumentParser
import OrderedJSON

package enum ManPage {
    /// docs/st-host.1, in the macros of man(7).
    package static func text() throws -> String {
        let main = try command(Options.self)
        var page = """
            .\\" Written by `st-host generate man`; change the texts of --help instead.
            .TH ST\\-HOST 1 "" "st\\-host \(escaped(Version.number))" "User Commands"
            .SH NAME
            st\\-host \\- fine\\-tunes and tunes sentence\\-embedding models from Lua scripts
            .SH SYNOPSIS
            .B st\\-host
            [\\fIoptions\\fR] [\\fISCRIPT\\fR [\\fIARG\\fR ...]]
            .br
            .B st\\-host study
            \\fIcommand\\fR ...
            .br
            .B st\\-host test
            [\\fIoptions\\fR] [\\fIPATH\\fR ...]
            .br
            .B st\\-host generate
            \\fIwhat\\fR \\fIpath\\fR
            .SH DESCRIPTION

            """
        let paragraphs = (main["discussion"]?.stringValue ?? "").split(separator: "\n\n")
        // The exit status has a section of its own.
        page +=
            paragraphs.filter { !$0.hasPrefix("Exit status") }
            .map { escaped(String($0)) }.joined(separator: "\n.PP\n") + "\n"
        page += ".SH OPTIONS\n" + options(main)
        for type in [StudyCommand.self, TestCommand.self, GenerateCommand.self]
            as [any ParsableCommand.Type]
        {
            page += section(try command(type))
        }
        page += """
            .SH EXIT STATUS
            .TP
            .B 0
            done
            .TP
            .B 1
            the script, or a test, failed
            .TP
            .B 2
            the command line is wrong
            .TP
            .B 130
            interrupted
            .SH ENVIRONMENT
            .TP
            .B HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_HUB_OFFLINE
            the cache of the Hugging Face Hub and how it is reached, as in Python
            .TP
            .B OPTUNA_STORAGE
            the storage of \\fBst\\-host study\\fR
            .TP
            .B NO_COLOR
            no colours in the REPL
            .SH FILES
            .TP
            .I $XDG_STATE_HOME/st\\-host/history
            lines of the REPL (~/.local/state where the variable is not set)
            .SH SEE ALSO
            .BR lua (1)

            """
        return page
    }

    private static func command(_ type: any ParsableCommand.Type) throws -> JSONObject {
        let dump = try JSONValue.parse(type._dumpHelp())
        return dump["command"]?.objectValue ?? [:]
    }

    private static func section(_ command: JSONObject) -> String {
        let name = command["commandName"]?.stringValue ?? ""
        var text =
            ".SH \(escaped(name).uppercased())\n\(escaped(command["abstract"]?.stringValue ?? ""))\n"
        if let more = command["discussion"]?.stringValue { text += ".PP\n\(escaped(more))\n" }
        for sub in command["subcommands"]?.arrayValue ?? [] {
            guard let sub = sub.objectValue, let name = sub["commandName"]?.stringValue,
                name != "help"
            else { continue }
            text += ".SS \(escaped(name))\n\(escaped(sub["abstract"]?.stringValue ?? ""))\n"
            text += options(sub)
        }
        return text + options(command)
    }

    private static func options(_ command: JSONObject) -> String {
        var text = ""
        for argument in command["arguments"]?.arrayValue ?? [] {
            guard argument["shouldDisplay"]?.boolValue == true else { continue }
            let value = escaped(argument["valueName"]?.stringValue ?? "")
            let names = (argument["names"]?.arrayValue ?? []).compactMap { name -> String? in
                guard let word = name["name"]?.stringValue else { return nil }
                return "\\fB" + escaped((name["kind"]?.stringValue == "long" ? "--" : "-") + word)
                    + "\\fR"
            }
            var head = names.joined(separator: ", ")
            if argument["kind"]?.stringValue != "flag" {
                head += (head.isEmpty ? "" : " ") + "\\fI\(value)\\fR"
            }
            var summary = escaped(argument["abstract"]?.stringValue ?? "")
            if let fallback = argument["defaultValue"]?.stringValue {
                summary += " (default: \(escaped(fallback)))"
            }
            if let more = argument["discussion"]?.stringValue { summary += "\n\(escaped(more))" }
            text += ".TP\n\(head)\n\(summary)\n"
        }
        return text
    }

    /// Text that troff takes as it is; a line may not begin with a dot or a quote.
    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix(".") || $0.hasPrefix("'") ? "\\&" + $0 : String($0) }
            .joined(separator: "\n")
    }
}
