// Asked before memory is taken whose size a script chose: matrices that operations make, rows of
// datasets, new models.

/// Lets a caller bound that memory on the current thread.
///
///     try MemoryAdmission { bytes in try budget.take(bytes) }.while { try compute() }
public final class MemoryAdmission: Sendable {
    @TaskLocal private static var current: MemoryAdmission?

    private let ask: @Sendable (_ bytes: Int) throws -> Void

    /// - ask: throws when so many bytes more are too many.
    public init(_ ask: @escaping @Sendable (_ bytes: Int) throws -> Void) { self.ask = ask }

    /// Runs `body`, for which this one is asked.
    public func `while`<R>(_ body: () throws -> R) rethrows -> R {
        try Self.$current.withValue(self) { try body() }
    }

    /// - count: of values, each of `size` bytes.
    static func check(_ count: Int, of size: Int) throws {
        guard let current else { return }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        try current.ask(overflow ? .max : bytes)
    }
}
