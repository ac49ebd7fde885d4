// `help`: every function, class, module and argument has its page.

import Host
import LuaBridge
import Testing

struct HelpTests {
    private func help(_ line: String) throws -> String {
        let session = try HostSession(progress: Progress(style: .silent))
        defer { session.close() }
        nonisolated(unsafe) var output = ""
        let repl = try REPL(
            session, write: { output += $0 }, writeError: { output += "! " + $0 + "\n" })
        for part in line.split(separator: ";") { repl.read(String(part)) }
        return output
    }

    @Test func `a function's page has its arguments with type, default and range`() throws {
        let page = try help("help(optuna.pruners.MedianPruner)")
        #expect(page.contains("n_startup_trials: integer = 5"))
        let method = try help("s = optuna.create_study();help(s.optimize)")
        #expect(method.hasPrefix("Study:optimize(func, [n_trials]"))
        #expect(method.contains("func: function, required"))
    }

    @Test func `one argument, a path, a word`() throws {
        #expect(
            try help("help(st.SentenceTransformerTrainingArguments, 'learning_rate')")
                .hasPrefix("learning_rate: number = 5e-05, at least 0"))
        #expect(try help("help('optuna.create_study')") == help("help(optuna.create_study)"))
        #expect(try help("help('learning_rate')").contains("SentenceTransformerTrainingArguments"))
        #expect(
            try help("help(optuna.create_study, 'storag')")
                .contains("unknown argument 'storag'; did you mean 'storage'?"))
        #expect(try help("help('no such word')").contains("nothing is called 'no such word'"))
    }

    @Test func `every declared function, class and module has a page`() throws {
        let reference = try APIReference()
        let help = HelpText(reference, style: .plain)
        var count = 0
        for module in reference.allModules {
            for signature in module.functions {
                #expect(help.page(.function(signature)).contains(signature.name))
                for parameter in signature.parameters {
                    #expect(
                        try help.page(argument: parameter.name, of: .function(signature))
                            .hasPrefix(parameter.name + ": "))
                    count += 1
                }
            }
        }
        for (_, type) in reference.allClasses {
            let page = help.page(.type(type))
            for method in type.methods { #expect(page.contains(":\(method.name)")) }
            for property in type.properties { #expect(page.contains(".\(property.name)")) }
            for parameter in type.constructor?.parameters ?? [] {
                #expect(page.contains("  \(parameter.name): "))
                count += 1
            }
        }
        #expect(count > 300)
        let names = Set(reference.allClasses.map(\.type.name))
        #expect(names.isSuperset(of: ["Study", "Trial", "Dataset", "Matrix", "BestRun"]))
    }
}
