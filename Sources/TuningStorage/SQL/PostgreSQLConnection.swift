// PostgreSQL through libpq: one connection that survives restarts of the server.

import Glibc

/// A connection to a PostgreSQL server.
///
/// **Lost connections.** The connection is made again, with pauses that double from 50 ms to 2 s,
/// for up to ``reconnectionLimit`` seconds. What was not committed is done again from the start of
/// its transaction. When the connection breaks during COMMIT, the server is asked what became of
/// that transaction (`txid_status`). A server that crashed may have given its number to another
/// one since, so a "committed" is believed only when the rows are there, too.
///
/// Statements are sent unnamed: named ones don't survive poolers such as pgbouncer, and what they
/// save is small beside the way to the server.
package final class PostgreSQLConnection: SQLConnection {
    package let dialect = SQLDialect.postgresql
    private let library: LibPQ
    private let parameters: [StorageLocation.Parameter]
    private var handle: OpaquePointer?
    private var isClosed = false
    private var isInTransaction = false

    /// Seconds for which a lost server is looked for.
    package static let reconnectionLimit = 120.0

    /// - parameters: libpq's; what it doesn't know is an error.
    package init(_ parameters: [StorageLocation.Parameter]) throws {
        library = try LibPQ.shared.get()
        var parameters = parameters
        for (name, value) in [
            ("connect_timeout", "10"), ("keepalives_idle", "30"), ("keepalives_interval", "10"),
            ("application_name", "st-host"),
        ] where !parameters.contains(where: { $0.name == name }) {
            parameters.append(.init(name: name, value: value))
        }
        self.parameters = parameters
        do {
            try connect()
        } catch let error as SQLError where error.kind == .connectionLost {
            // A server that is starting is worth a wait, a wrong address is not.
            guard ["starting up", "shutting down"].contains(where: error.description.contains)
            else { throw error }
            try reconnect()
        }
    }

    package func changeToken() throws -> ChangeToken? { nil }

    package func close() {
        isClosed = true
        disconnect()
    }

    deinit { disconnect() }

    // MARK: Connecting

    private func disconnect() {
        library.finish(handle)
        handle = nil
    }

    private func connect() throws {
        disconnect()
        if isClosed { throw SQLError(.other, "the storage is closed") }
        let connection = withCStrings(parameters.map(\.name)) { names in
            withCStrings(parameters.map(\.value)) { values in
                library.connectdbParams(names, values, 0)
            }
        }
        guard library.status(connection) == LibPQ.connectionOK else {
            let text = library.errorMessage(connection).map { String(cString: $0) }
            library.finish(connection)
            throw SQLError(.connectionLost, withoutSecrets(oneLine(text ?? "out of memory")))
        }
        handle = connection
        _ = library.setNoticeProcessor(connection, { _, _ in }, nil)
        // Text of times and numbers as we read it, whatever the server prefers.
        for setting in [
            "SET datestyle TO ISO", "SET extra_float_digits TO 3", "SET client_encoding TO UTF8",
            "SET synchronous_commit TO on",
        ] { _ = try run(setting, []) }
    }

    private func reconnect() throws {
        var pause = 0.05
        let deadline = monotonicSeconds() + Self.reconnectionLimit
        while true {
            do {
                return try connect()
            } catch let error as SQLError where error.kind == .connectionLost {
                if monotonicSeconds() + pause > deadline { throw error }
                // Workers that lost the same server don't come back in step.
                usleep(UInt32(pause * Double.random(in: 0.5...1) * 1e6))
                pause = min(pause * 2, 2)
            }
        }
    }

    // MARK: Statements

    package func query(
        _ sql: String, _ values: [SQLValue], _ row: (any SQLRow) throws -> Void
    ) throws {
        let result = try runAgainIfLost(sql, values)
        let count = library.ntuples(result.pointer)
        for index in 0..<count {
            result.row = index
            try row(result)
        }
    }

    @discardableResult
    package func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
        let result = try isInTransaction ? run(sql, values) : runAgainIfLost(sql, values)
        return library.cmdTuples(result.pointer).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// Outside a transaction a statement only reads and may be repeated.
    private func runAgainIfLost(_ sql: String, _ values: [SQLValue]) throws -> PostgreSQLResult {
        if isInTransaction { return try run(sql, values) }
        var attempts = 0
        while true {
            do {
                if handle == nil { try reconnect() }
                return try run(sql, values)
            } catch let error as SQLError where error.kind == .connectionLost {
                attempts += 1
                if attempts == 5 { throw error }
                try reconnect()
            }
        }
    }

    private func run(_ sql: String, _ values: [SQLValue]) throws -> PostgreSQLResult {
        guard let handle else {
            throw SQLError(isClosed ? .other : .connectionLost, "the connection is closed")
        }
        let texts = try values.map(text)
        let pointer = sql.withCString { sql in
            withCStrings(texts) { values in
                library.execParams(handle, sql, Int32(texts.count), nil, values, nil, nil, 0)
            }
        }
        return try checked(pointer)
    }

    private func text(_ value: SQLValue) throws -> String? {
        switch value {
        case .null: return nil
        case .int(let number): return String(number)
        case .double(let number):
            return number.isNaN
                ? "NaN"
                : number.isInfinite ? (number > 0 ? "Infinity" : "-Infinity") : number.description
        case .ids(let ids): return "{" + ids.map { String($0) }.joined(separator: ",") + "}"
        case .text(let text):
            if text.utf8.contains(0) {
                throw SQLError(.other, "PostgreSQL can't store a text that holds a zero byte")
            }
            return text
        }
    }

    private func checked(_ pointer: OpaquePointer?) throws -> PostgreSQLResult {
        let result = PostgreSQLResult(library, pointer)
        let status = library.resultStatus(pointer)
        if status == LibPQ.commandOK || status == LibPQ.tuplesOK { return result }
        func field(_ code: Int32) -> String? {
            library.resultErrorField(pointer, code).map { String(cString: $0) }
        }
        let state = field(LibPQ.sqlState) ?? ""
        let message = withoutSecrets(
            oneLine(
                field(LibPQ.primaryMessage)
                    ?? library.errorMessage(handle).map { String(cString: $0) } ?? "no answer"))
        throw SQLError(kind(state), message)
    }

    private func kind(_ state: String) -> SQLError.Kind {
        if library.status(handle) != LibPQ.connectionOK { return .connectionLost }
        switch state {
        case "23505": return .uniqueViolation
        // Serialization failure, deadlock.
        case "40001", "40P01": return .conflict
        // The server is being stopped, or starts.
        case "57P01", "57P02", "57P03": return .connectionLost
        default: return .other
        }
    }

    // MARK: Transactions

    package func transaction<Result>(
        _ kind: TransactionKind, wasMade: ((Result) throws -> Bool)?, _ body: () throws -> Result
    ) throws -> Result {
        // Reads see one state per statement, which is all that the callers need.
        if isInTransaction || kind == .read { return try body() }
        var attempts = 0
        while true {
            attempts += 1
            do {
                return try attemptTransaction(wasMade, body)
            } catch let error as SQLError
                where (error.kind == .conflict || error.kind == .connectionLost) && attempts < 10
            {
                if error.kind == .connectionLost { try reconnect() }
                usleep(UInt32(Double.random(in: 0...0.02) * Double(attempts) * 1e6))
            }
        }
    }

    private func attemptTransaction<Result>(
        _ wasMade: ((Result) throws -> Bool)?, _ body: () throws -> Result
    ) throws -> Result {
        if handle == nil { try reconnect() }
        let identifier = try begin()
        isInTransaction = true
        let result: Result
        do {
            defer { isInTransaction = false }
            result = try body()
        } catch {
            _ = try? run("ROLLBACK", [])
            throw error
        }
        do {
            _ = try run("COMMIT", [])
            return result
        } catch let error as SQLError where error.kind == .connectionLost {
            try reconnect()
            if try mayBeCommitted(identifier), try wasMade?(result) ?? false { return result }
            throw error
        }
    }

    /// Begins and returns the server's number of the transaction, in one exchange.
    private func begin() throws -> String {
        let result = try checked(
            library.exec(handle, "BEGIN; SELECT CAST(txid_current() AS TEXT)"))
        result.row = 0
        return try result.text(0)
    }

    /// What became of a transaction whose COMMIT was not answered: `false` when it is certain that
    /// nothing is left of it. Asked again while the server has not noticed that its client is gone.
    private func mayBeCommitted(_ identifier: String) throws -> Bool {
        var pause = 0.01
        while true {
            // A server that crashed may have forgotten the number itself: then it is one that is
            // still to come, which txid_status refuses, and nothing of the transaction is left.
            let status = try first(
                """
                SELECT CASE WHEN CAST($1 AS BIGINT) >= \
                txid_snapshot_xmax(txid_current_snapshot()) THEN 'aborted' \
                ELSE txid_status(CAST($1 AS BIGINT)) END
                """, [.text(identifier)]
            ) { try $0.optionalText(0) }
            switch status ?? nil {
            case "in progress":
                usleep(UInt32(pause * 1e6))
                pause = min(pause * 2, 1)
            case "aborted": return false
            default: return true
            }
        }
    }

    // MARK: Texts

    /// Messages of libpq end with a line break and may have several lines.
    private func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline)
            .map { $0.drop(while: \.isWhitespace) }.joined(separator: "; ")
    }

    /// libpq doesn't print passwords; should it ever, they don't get further than this.
    private func withoutSecrets(_ text: String) -> String {
        var text = text
        for secret in parameters where secret.name.contains("pass") && secret.value.count > 3 {
            text = text.split(separator: secret.value, omittingEmptySubsequences: false)
                .joined(separator: "***")
        }
        return text
    }
}

/// A result and the row that is being read; frees itself.
private final class PostgreSQLResult: SQLRow {
    private let library: LibPQ
    let pointer: OpaquePointer?
    var row: Int32 = 0

    init(_ library: LibPQ, _ pointer: OpaquePointer?) {
        self.library = library
        self.pointer = pointer
    }

    deinit { library.clear(pointer) }

    func isNull(_ column: Int) -> Bool { library.getisnull(pointer, row, Int32(column)) != 0 }

    func int(_ column: Int) throws -> Int {
        guard let number = Int(try text(column)) else {
            throw mismatch(column, "a whole number")
        }
        return number
    }

    func double(_ column: Int) throws -> Double {
        guard let number = Double(try text(column)) else { throw mismatch(column, "a number") }
        return number
    }

    func text(_ column: Int) throws -> String {
        guard !isNull(column), let start = library.getvalue(pointer, row, Int32(column)) else {
            throw mismatch(column, "a value")
        }
        let count = Int(library.getlength(pointer, row, Int32(column)))
        let text = start.withMemoryRebound(to: UInt8.self, capacity: count) {
            String(validating: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self)
        }
        guard let text else { throw mismatch(column, "valid UTF-8") }
        return text
    }

    private func mismatch(_ column: Int, _ expected: String) -> SQLError {
        let name = library.fname(pointer, Int32(column)).map { String(cString: $0) } ?? "?"
        let found = isNull(column) ? "nothing" : "something else"
        return SQLError(.malformed, "column '\(name)': expected \(expected), found \(found)")
    }
}

/// Calls `body` with a null-terminated array of C strings; `nil` stays null.
private func withCStrings<Result>(
    _ texts: [String?], _ body: (LibPQ.Strings) -> Result
) -> Result {
    let copies = texts.map { text in text.flatMap { strdup($0) } }
    defer { for copy in copies { free(copy) } }
    let pointers: [UnsafePointer<CChar>?] = copies.map { UnsafePointer($0) } + [nil]
    return pointers.withUnsafeBufferPointer { buffer in
        // Never empty: the terminator is there.
        withUnsafePointer(to: nil as UnsafePointer<CChar>?) { body(buffer.baseAddress ?? $0) }
    }
}

func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
