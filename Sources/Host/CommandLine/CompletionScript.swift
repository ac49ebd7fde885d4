// `st-host --generate-completion-script SHELL`: completion of the command line. The commands that
// Program picks by their first word stand in one tree here; it is only described, never run.

import ArgumentParser

enum CompletionScript {
    private static let option = "--generate-completion-script"

    /// The script that `words` ask for; nil when they ask for something else.
    static func main(_ words: [String]) -> ExitStatus? {
        guard let first = words.first, first == option || first.hasPrefix(option + "=") else {
            return nil
        }
        // Without a name it is the shell of the environment.
        let name =
            first == option ? words.dropFirst().first : String(first.dropFirst(option.count + 1))
        let shell = name == nil ? .autodetected() : name.flatMap(CompletionShell.init(rawValue:))
        guard let shell else {
            Program.writeError(
                "\(option): expected bash, zsh or fish" + (name.map { ", got '\($0)'" } ?? ""))
            return .usage
        }
        print(withScripts(Tree.completionScript(for: shell), shell))
        return .done
    }

    /// Where the script offers commands it offers Lua files, too: a positional argument of the tree
    /// would keep the commands from being offered at all. `help` is no command of ours.
    private static func withScripts(_ script: String, _ shell: CompletionShell) -> String {
        switch shell {
        case .bash:
            let commands = "COMPREPLY+=($(compgen -W 'study test generate help' -- \"${cur}\"))"
            return script.replacing(
                commands,
                with: commands.replacing(" help", with: "")
                    + "\n        __st-host_add_completions -o plusdirs -fX '!*.@(lua)'")
        case .zsh:
            let commands = "_describe -V subcommand subcommands && ret=0\n"
            return withoutHelp(script).replacing(
                commands, with: commands + "        _files -g '*.lua(-.)' && ret=0\n",
                maxReplacements: 1)
        default:
            return withoutHelp(script)
                + "\ncomplete -c 'st-host' -n"
                + " '__st-host_should_offer_completions_for_positional \"st-host\" -eq 1'"
                + " -ka '(__fish_complete_suffix .lua)'\n"
        }
    }

    private static func withoutHelp(_ script: String) -> String {
        script.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.contains("Show subcommand help information.") }.joined(separator: "\n")
    }

    private struct Tree: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "st-host", subcommands: [Study.self, Test.self, Generate.self])
        @OptionGroup var switches: Switches
    }

    private struct Study: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "study", abstract: StudyCommand.configuration.abstract,
            subcommands: StudyCommand.configuration.subcommands)
    }

    private struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: TestCommand.configuration.abstract)
        @OptionGroup var options: TestCommand
    }

    private struct Generate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "generate", abstract: GenerateCommand.configuration.abstract)
        @OptionGroup var options: GenerateCommand
    }
}
