// The files that the scripts of Scripts/ find beside them: a tiny model, the same model broken in
// one way each, and data files, broken ones too.
import Foundation
import TestSupport

enum ScriptFixtures {
    static func write(to folder: URL) throws {
        for (path, text) in texts {
            try write(Data(text.utf8), to: folder.appending(path: path))
        }
    }

    /// Data files, as text.
    private static let texts = [
        "data/pairs.jsonl": """
        {"anchor": "a red bicycle", "positive": "a bicycle that is red"}
        {"anchor": "rain tomorrow", "positive": "it will rain tomorrow"}
        {"anchor": "a cup of tea", "positive": "tea in a cup"}
        {"anchor": "the shop is shut", "positive": "the shop is closed"}

        """,
        "data/scored.jsonl": """
        {"sentence1": "a red bicycle", "sentence2": "a bicycle that is red", "score": 0.9}
        {"sentence1": "rain tomorrow", "sentence2": "sunshine tomorrow", "score": 0.3}
        {"sentence1": "a cup of tea", "sentence2": "the shop is shut", "score": 0.0}

        """,
        // The second line stops in the middle of a string.
        "data/broken-line.jsonl": """
        {"anchor": "a red bicycle", "positive": "a bicycle that is red"}
        {"anchor": "rain tomorrow", "positive": "it will
        {"anchor": "a cup of tea", "positive": "tea in a cup"}

        """,
        // A number where the rows before have text.
        "data/mixed.jsonl": """
        {"anchor": "a red bicycle", "positive": "a bicycle that is red"}
        {"anchor": 7, "positive": "it will rain tomorrow"}

        """,
        "data/pairs.csv": #"""
        anchor,positive
        a red bicycle,a bicycle that is red
        "rain, tomorrow","it will rain ""tomorrow"""

        """#,
        "data/ragged.csv": """
        anchor,positive
        a red bicycle,a bicycle that is red
        rain tomorrow,it will rain tomorrow,and the day after

        """,
        "data/empty.jsonl": "",
    ]

    private static func write(_ data: Data, to file: URL) throws {
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
    }
}
