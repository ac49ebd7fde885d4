// The switches of st-host, as in lua(1).

package import ArgumentParser

/// `st-host [options] [SCRIPT [ARG ...]]`
package struct Options: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "st-host",
        abstract: "Fine-tunes and tunes sentence-embedding models from Lua scripts.",
        usage: "st-host [options] [-l NAME ...] [-e CODE ...] [SCRIPT [ARG ...]]",
        discussion: """
            Without a script and without -e, reads from standard input: as a REPL when it is a \
            terminal, otherwise as a script. The script finds its arguments in 'arg' and '...'; \
            require "sentence_transformers", "datasets" and "optuna" give it the modules.

            st-host study --help: studies in a storage, listed, shown, exported, deleted.
            st-host test --help: runs test fixtures, files named *_test.lua.
            st-host generate --help: annotations for editors, the Lua reference.

            Exit status: 0 done, 1 the script failed, 2 the command line is wrong, \
            130 interrupted.
            """)

    @OptionGroup package var switches: Switches

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp(
            "The script ('-': standard input), then its arguments.", valueName: "SCRIPT"),
        completion: .file(extensions: ["lua"]))
    package var script: [String] = []

    package init() {}

    package mutating func validate() throws {
        if switches.version { throw CleanExit.message(Version.text) }
        // The library takes these for the script's, as it does everything it doesn't know.
        if script.first == "--help" || script.first == "-h" { throw CleanExit.helpRequest() }
        let isBounded =
            !switches.allow.isEmpty || switches.memoryLimit != nil
            || switches.instructionLimit != nil
        guard switches.sandbox || !isBounded else {
            throw ValidationError(
                "--allow, --memory-limit and --instruction-limit are for --sandbox")
        }
        if let memoryLimit = switches.memoryLimit, !(1...1 << 20).contains(memoryLimit) {
            throw ValidationError("--memory-limit: must be 1 to 1048576, got \(memoryLimit)")
        }
        if let instructionLimit = switches.instructionLimit, instructionLimit < 1 {
            throw ValidationError(
                "--instruction-limit: must be at least 1, got \(instructionLimit)")
        }
    }

    /// The bounds of the script; nil when it is trusted.
    package var bounds: Sandbox? {
        guard switches.sandbox else { return nil }
        var bounds = Sandbox(folders: switches.allow)
        if let memoryLimit = switches.memoryLimit { bounds.memoryLimit = memoryLimit << 20 }
        if let instructionLimit = switches.instructionLimit {
            bounds.instructionLimit = UInt64(instructionLimit)
        }
        return bounds
    }

    /// The words with "-eCODE" and "-lNAME", which lua(1) takes, as two: the library does not know
    /// them.
    package static func separated(_ words: [String]) -> [String] {
        let takeValues = ["-e", "-l", "--allow", "--memory-limit", "--instruction-limit"]
        var result: [String] = []
        var rest = words[...]
        while let word = rest.first, word.hasPrefix("-"), word != "-", word != "--" {
            rest.removeFirst()
            if takeValues.contains(word) {
                result.append(word)
                if let value = rest.popFirst() { result.append(value) }
            } else if word.hasPrefix("-e") || word.hasPrefix("-l") {
                result += [String(word.prefix(2)), String(word.dropFirst(2))]
            } else {
                result.append(word)
            }
        }
        return result + rest
    }

    /// Everything from the first word that is no switch is kept as it is: a dash there is a switch
    /// that does not exist, unless "--" stands before it.
    package mutating func refuseUnknownSwitch() throws {
        if script.first == "--" {
            script.removeFirst()
        } else if let first = script.first, first.hasPrefix("-"), first != "-" {
            throw ValidationError("unknown option '\(first)'")
        }
    }
}

/// What stands before the script.
package struct Switches: ParsableArguments {
    @Option(
        name: .customShort("e"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Run a piece of Lua.", valueName: "CODE"))
    package var code: [String] = []

    @Option(
        name: .customShort("l"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Require a module first, as a global of that name.", valueName: "NAME"))
    package var modules: [String] = []

    @Flag(name: .customShort("i"), help: "Go interactive after the script.")
    package var interactive = false

    @Flag(
        name: .customLong("json"),
        help: "Print what the script returns as JSON; without a script, what the last -e does.")
    package var json = false

    @Flag(
        name: .customLong("deterministic"),
        help: ArgumentHelp(
            "The same output in every run.",
            discussion: """
                Seeds math.random and every sampler and shuffle that is given no seed, fixes what \
                clocks, dates, run times and log lines say, and runs trials one at a time.
                """))
    package var deterministic = false

    @Flag(
        name: .customLong("sandbox"),
        help: "Run what is not trusted: no files, processes or network.")
    package var sandbox = false

    @Option(
        name: .customLong("allow"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A folder that a sandboxed script may read and write.", valueName: "FOLDER"),
        completion: .directory)
    package var allow: [String] = []

    @Option(
        name: .customLong("memory-limit"),
        help: ArgumentHelp(
            "Megabytes of values, matrices, datasets and models of a sandboxed script (1024).",
            valueName: "MB"))
    package var memoryLimit: Int?

    @Option(
        name: .customLong("instruction-limit"),
        help: ArgumentHelp(
            "Instructions of Lua a sandboxed script may run (10000000000).", valueName: "N"))
    package var instructionLimit: Int?

    @Flag(name: .customLong("version"), help: "Show the version.")
    package var version = false

    package init() {}
}
