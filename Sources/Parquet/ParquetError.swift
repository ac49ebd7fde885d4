/// What is wrong with a Parquet file, and where in it.
public struct ParquetError: Error, Sendable, Equatable {
    public var path: String
    /// The column, dotted where it is nested; `nil` for the file as a whole.
    public var column: String?
    /// Number of the page in its column chunk, counted from 0.
    public var page: Int?
    /// A clause without a full stop.
    public var problem: String
    /// What to do next.
    public var hint: String?

    public init(
        path: String, column: String? = nil, page: Int? = nil, problem: String, hint: String? = nil
    ) {
        self.path = path
        self.column = column
        self.page = page
        self.problem = problem
        self.hint = hint
    }

    /// The place in the file and the problem, without the path.
    public var placedProblem: String {
        (column.map { "column '\($0)': " } ?? "") + (page.map { "page \($0): " } ?? "") + problem
    }
}

extension ParquetError: CustomStringConvertible {
    public var description: String {
        "'\(path)': \(placedProblem)" + (hint.map { "; \($0)" } ?? "")
    }
}

/// A problem found below the level that knows path and column, which ``ParquetFile`` adds.
struct Malformed: Error {
    var problem: String
    var hint: String?
    var page: Int?

    init(_ problem: String, hint: String? = nil) {
        self.problem = problem
        self.hint = hint
    }

    static let truncated = Malformed("the data ends too early", hint: Self.damaged)
    static let damaged = "the file is damaged; fetch or write it again"

    static func damaged(_ problem: String) -> Malformed { Malformed(problem, hint: damaged) }
    static func unsupported(_ problem: String, _ hint: String) -> Malformed {
        Malformed(problem, hint: hint)
    }
}
