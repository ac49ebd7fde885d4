/// A text that is not JSON, with the place where that shows.
public struct JSONError: Error, Sendable, Equatable {
    /// Counted from 1.
    public let line: Int
    /// Counted from 1, in code points.
    public let column: Int
    /// Offset in bytes from the start of the text.
    public let offset: Int
    /// A clause without a full stop: "expected ':' after the key, found '}'".
    public let problem: String
}

extension JSONError: CustomStringConvertible {
    public var description: String { "line \(line), column \(column): \(problem)" }
}
