// `require "datasets"`: what the module holds. One file per class beside this one.

public import LuaBridge
public import Training

extension HostModule {
    static let datasets = HostModule("datasets") { try DatasetsModule.make($0) }
}

enum DatasetsModule {
    static func make(_ session: HostSession) throws -> LuaModule {
        try session.lua.register(columnClass())
        try session.lua.register(classLabelClass())
        let module = LuaModule(
            "datasets", doc: "Rows of named, typed columns: what a trainer learns from.")
        module.class(datasetClass())
        module.class(datasetDictClass())
        addLoadDataset(to: module, session)
        module.function(
            "concatenate_datasets",
            [.required("dsets", .sequence(.object("Dataset")), "The datasets, in order.")],
            doc:
                "The rows of all datasets, one after the other. A column that one lacks is nil there."
        ) { arguments in
            let datasets: [Dataset] = try arguments["dsets"]
            return try Dataset.concatenated(datasets)
        }
        module.function(
            "interleave_datasets",
            [
                .required("datasets", .sequence(.object("Dataset")), "The datasets, in order."),
                .optional(
                    "probabilities", .sequence(.number), nil,
                    "Of drawing from each dataset; without them they take turns."),
                .optional(
                    "seed", .integer, nil, range: .atLeast(0),
                    "The same seed gives the rows that Python gives."),
                .keyword(
                    "stopping_strategy",
                    .oneOf(StoppingStrategy.allCases.map(\.rawValue)),
                    .computed("'first_exhausted'"),
                    "When the rows end; with all_exhausted short datasets start again."),
            ], doc: "The rows of several datasets mixed."
        ) { arguments in
            let strategy: String? = try arguments["stopping_strategy"]
            return try Dataset.interleaved(
                try arguments["datasets"], probabilities: try arguments["probabilities"],
                seed: try arguments.seed(),
                stoppingStrategy: strategy.flatMap(StoppingStrategy.init) ?? .firstExhausted)
        }
        return module
    }
}

extension Dataset: LuaObject {}

/// The order of columns where a script gives them as a table, which has none: texts in the order
/// in which losses expect them by name (anchor, positive, negative; sentence1, sentence2; …), other
/// columns alphabetically after them, the label last.
enum ColumnOrder {
    static func sorted(_ names: [String]) -> [String] {
        names.sorted { left, right in
            let (leftRank, rightRank) = (rank(left), rank(right))
            return leftRank == rightRank
                ? isBefore(left.utf8[...], right.utf8[...]) : leftRank < rightRank
        }
    }

    private static func rank(_ name: String) -> Int {
        if ["label", "labels", "score", "scores"].contains(name) { return 100 }
        if ["anchor", "query", "question", "premise"].contains(name) { return 0 }
        if ["positive", "answer", "response", "hypothesis", "entailment"].contains(name) {
            return 1
        }
        if name == "negative" || name.hasPrefix("negative_") || name == "contradiction" { return 2 }
        return 3
    }

    /// By bytes, runs of digits by their value: negative_2 comes before negative_10.
    private static func isBefore(_ left: Substring.UTF8View, _ right: Substring.UTF8View) -> Bool {
        var (left, right) = (left, right)
        while let first = left.first, let second = right.first {
            if isDigit(first), isDigit(second) {
                let leftDigits = left.prefix(while: isDigit)
                let rightDigits = right.prefix(while: isDigit)
                let leftNumber = leftDigits.drop { $0 == UInt8(ascii: "0") }
                let rightNumber = rightDigits.drop { $0 == UInt8(ascii: "0") }
                if leftNumber.count != rightNumber.count {
                    return leftNumber.count < rightNumber.count
                }
                if !leftNumber.elementsEqual(rightNumber) {
                    return leftNumber.lexicographicallyPrecedes(rightNumber)
                }
                left = left[leftDigits.endIndex...]
                right = right[rightDigits.endIndex...]
            } else if first != second {
                return first < second
            } else {
                left.removeFirst()
                right.removeFirst()
            }
        }
        return left.isEmpty && !right.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
