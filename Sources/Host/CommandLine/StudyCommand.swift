// `st-host study ...`: studies of a storage from the shell, with the names and columns of Optuna's
// own command line. StudyTables.swift makes the rows, StudyOutput.swift the text.

import ArgumentParser
import Glibc
import Logging
import OrderedJSON
import Tuning
import TuningStorage

struct StudyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "st-host study", abstract: "Shows and changes studies in a storage.",
        subcommands: [
            List.self, Show.self, Trials.self, Best.self, Export.self, Delete.self, Importance.self,
        ])

    /// What every subcommand takes.
    struct Place: ParsableArguments {
        @Option(
            help: ArgumentHelp(
                "Database or journal file; by default the environment's OPTUNA_STORAGE.",
                valueName: "URL"))
        var storage: String?

        /// Opens what is there; makes nothing.
        func open() throws -> any Storage {
            guard let url = storage ?? getenv("OPTUNA_STORAGE").map({ String(cString: $0) }) else {
                throw ValidationError("--storage URL is missing, and OPTUNA_STORAGE is not set")
            }
            if !url.contains("://") && access(url, F_OK) == 0 {
                return try JournalStorage(JournalFileBackend(url, creates: false))
            }
            var options = RDBStorage.Options()
            options.createsFile = false
            options.skipsTableCreation = true
            return try RDBStorage(url, options: options)
        }
    }

    struct One: ParsableArguments {
        @OptionGroup var place: Place
        @Option(
            help: ArgumentHelp(
                "The study; may be left out where the storage has one only.", valueName: "NAME"))
        var studyName: String?

        func open() throws -> Study {
            try Study.load(
                name: studyName, storage: place.open(), sampler: RandomSampler(),
                pruner: NopPruner(),
                logger: Logger(label: "optuna") { _ in SwiftLogNoOpLogHandler() })
        }
    }

    struct Shape: ParsableArguments {
        @Option(name: .shortAndLong, help: "table, json or csv.")
        var format: StudyOutput.Format = .table
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All studies (optuna studies).")
        @OptionGroup var place: Place
        @OptionGroup var shape: Shape

        func run() throws {
            let summaries = try Study.allSummaries(in: place.open(), includeBestTrial: false)
            StudyOutput.write(StudyTables.studies(summaries), shape.format)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One study: its trials by state, its best one.")
        @OptionGroup var one: One
        @OptionGroup var shape: Shape

        func run() throws {
            StudyOutput.write(try StudyTables.overview(one.open()), shape.format)
        }
    }

    struct Trials: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The trials of a study (optuna trials).")
        @OptionGroup var one: One
        @OptionGroup var shape: Shape

        func run() throws {
            let study = try one.open()
            StudyOutput.write(
                try StudyTables.trials(study.trials(), of: study), shape.format)
        }
    }

    struct Best: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The best trial, or with several objectives all that no other one beats.")
        @OptionGroup var one: One
        @OptionGroup var shape: Shape

        func run() throws {
            let study = try one.open()
            let isSingle = study.directions.count == 1
            let best = try isSingle ? [study.bestTrial()] : study.bestTrials()
            var table = try StudyTables.trials(best, of: study)
            table.isSingle = isSingle
            StudyOutput.write(table, shape.format)
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Everything that is known of a study's trials.")
        @OptionGroup var one: One
        @Option(name: .shortAndLong, help: "json, csv or table.")
        var format: StudyOutput.Format = .json

        func run() throws {
            let study = try one.open()
            StudyOutput.write(
                try StudyTables.trials(study.trials(), of: study, isComplete: true), format)
        }
    }

    struct Importance: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How much each parameter matters; the numbers add up to 1.")

        enum Evaluator: String, CaseIterable, ExpressibleByArgument {
            case pedanova, fanova, mdi
        }

        @OptionGroup var one: One
        @Option(help: "pedanova, fanova or mdi.")
        var evaluator: Evaluator = .pedanova
        @Option(
            help: ArgumentHelp(
                "Which of several objectives, from 0; needed when there are several.",
                valueName: "N"))
        var objective: Int?
        @Option(help: ArgumentHelp("Of the forests of fanova and mdi.", valueName: "N"))
        var seed: Int?
        @OptionGroup var shape: Shape

        func run() throws {
            let study = try one.open()
            let importances = try study.paramImportances(
                evaluator: made(), target: target(of: study))
            StudyOutput.write(StudyTables.importances(importances), shape.format)
        }

        private func made() throws -> any ImportanceEvaluator {
            switch evaluator {
            case .pedanova: try PedAnovaImportanceEvaluator()
            case .fanova: try FanovaImportanceEvaluator(seed: seed)
            case .mdi: try MeanDecreaseImpurityImportanceEvaluator(seed: seed)
            }
        }

        private func target(of study: Study) throws -> ((FrozenTrial) throws -> Double)? {
            guard let objective else {
                if study.directions.count == 1 { return nil }
                throw ValidationError(
                    "the study has \(study.directions.count) objectives: --objective 0 to "
                        + "\(study.directions.count - 1) says which one to explain")
            }
            guard study.directions.indices.contains(objective) else {
                throw ValidationError(
                    "--objective \(objective): the study has objectives 0 to "
                        + "\(study.directions.count - 1)")
            }
            return { trial in
                let values = trial.values ?? []
                return values.indices.contains(objective) ? values[objective] : .nan
            }
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes a study with all its trials.")
        @OptionGroup var place: Place
        @Option(help: ArgumentHelp("The study.", valueName: "NAME"))
        var studyName: String

        func run() throws {
            try Study.delete(name: studyName, storage: place.open())
        }
    }

    // MARK: Running

    /// - words: what follows `study`.
    static func main(_ words: [String]) -> ExitStatus {
        var command: any ParsableCommand
        do {
            command = try parseAsRoot(words)
        } catch {
            return report(error, words)
        }
        do {
            try command.run()
            return .done
        } catch let error as TuningError {
            Program.writeError("st-host: \(error)")
            return .failure
        } catch {
            return report(error, words)
        }
    }

    /// - words: the command line. Parts of it that a message shows are shown without passwords.
    private static func report(_ error: any Error, _ words: [String]) -> ExitStatus {
        var message = fullMessage(for: error)
        for word in words {
            // Of "--storage=URL" a message shows the URL.
            let start =
                word.hasPrefix("--") ? word.firstIndex(of: "=").map(word.index(after:)) : nil
            let value = String(word[(start ?? word.startIndex)...])
            let shown = StorageURL.withoutPassword(value)
            if shown != value { message = message.replacing(value, with: shown) }
        }
        if exitCode(for: error).isSuccess {
            print(message)
            return .done
        }
        Program.writeError(message)
        return .usage
    }
}
