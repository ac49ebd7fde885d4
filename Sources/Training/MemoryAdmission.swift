// Asked before memory is taken whose size a script chose: matrices that operations make, rows of
// datasets, new models.

import Glibc

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

    /// Asks for what is taken already, little by little.
    static func check(taken bytes: Int) throws { try current?.ask(bytes) }

    /// - count: of values, each of `size` bytes, which are about to be taken at once.
    static func check(_ count: Int, of size: Int) throws {
        let (product, overflow) = count.multipliedReportingOverflow(by: size)
        let bytes = overflow ? .max : product
        if let current { return try current.ask(bytes) }
        // Nobody bounds it but the system, which may: an allocation that fails ends the process.
        guard bytes >= Self.large else { return }
        let probe = mmap(
            nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let probe, probe != MAP_FAILED else {
            throw TrainingError.data(problem: "not enough memory for \(bytes) bytes")
        }
        munmap(probe, bytes)
    }

    /// Bytes from which on the system is asked.
    private static let large = 1 << 28
}
