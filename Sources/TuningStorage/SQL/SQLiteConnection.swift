// SQLite through the system's libsqlite3: prepared statements, waiting for locks, journal modes.

import CSQLite
import Glibc

/// A connection to a database file, or to a database in memory.
package final class SQLiteConnection: SQLConnection {
    package let dialect = SQLDialect.sqlite
    private var handle: OpaquePointer?
    private var statements: [String: Statement] = [:]
    /// Whether a commit may be seen by all before it is on the disk.
    private let defersSync: Bool
    private var syncsNow = true
    private var isInTransaction = false

    /// - path: `nil` keeps the database in memory.
    /// - timeout: seconds to wait for locks of other processes.
    /// - creates: whether a file that is not there is made.
    package init(path: String?, timeout: Double, creates: Bool) throws {
        let isNew = path.map { access($0, F_OK) != 0 } ?? true
        let flags =
            SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (creates ? SQLITE_OPEN_CREATE : 0)
        var opened: OpaquePointer?
        let status = sqlite3_open_v2(path ?? ":memory:", &opened, flags, nil)
        handle = opened
        guard status == SQLITE_OK else {
            let reason = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw SQLError(.other, Self.openProblem(path, reason, creates: creates))
        }
        sqlite3_extended_result_codes(opened, 1)
        sqlite3_busy_timeout(opened, Int32(min(max(timeout, 0), 1e6) * 1000))
        // Only a file of our own making changes its journal mode: it is a property of the file.
        if isNew, let path, !Self.isShared(path) {
            sqlite3_exec(opened, "PRAGMA journal_mode = WAL", nil, nil, nil)
        }
        var mode: String?
        var probe: OpaquePointer?
        if sqlite3_prepare_v2(opened, "PRAGMA journal_mode", -1, &probe, nil) == SQLITE_OK,
            sqlite3_step(probe) == SQLITE_ROW, let text = sqlite3_column_text(probe, 0)
        {
            mode = String(cString: text)
        }
        sqlite3_finalize(probe)
        // In WAL mode a commit without a sync can get lost in a power failure, but not harm the
        // file; with a rollback journal it could.
        defersSync = mode == "wal"
    }

    private static func openProblem(_ path: String?, _ reason: String, creates: Bool) -> String {
        guard let path else { return reason }
        if !creates, access(path, F_OK) != 0 { return "there is no such file" }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        if access(folder.isEmpty ? "/" : folder, F_OK) != 0 {
            return "the folder '\(folder)' does not exist"
        }
        return reason
    }

    /// File systems that other machines, or other kernels, may work on: SQLite's write-ahead log
    /// needs memory that all its users share. Magic numbers of statfs(2).
    private static func isShared(_ path: String) -> Bool {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let shared: Set<UInt32> = [
            0x6969,  // NFS
            0x517b, 0xfe53_4d42, 0xff53_4d42,  // SMB, SMB2, CIFS
            0x7375_7245, 0x5346_414f,  // Coda, AFS
            0x0bd0_0bd0, 0x4750_4653, 0x1983_0326,  // Lustre, GPFS, BeeGFS
            0x00c3_6400, 0x0116_1970, 0x7461_636f,  // Ceph, GFS2, OCFS2
            0x6573_5546, 0x0102_1997, 0x786f_4256,  // FUSE, 9P, VirtualBox
            0,  // unknown
        ]
        return shared.contains(st_file_system_type(folder.isEmpty ? "/" : folder))
    }

    package func close() {
        statements = [:]
        guard let open = handle else { return }
        handle = nil
        sqlite3_close_v2(open)
    }

    deinit { close() }

    // MARK: Statements

    package func query(
        _ sql: String, _ values: [SQLValue], _ row: (any SQLRow) throws -> Void
    ) throws {
        let statement = try prepared(sql)
        try statement.bind(values)
        // A body that runs the same text while this one is being read gets its own statement.
        statements[sql] = nil
        defer {
            statement.reset()
            statements[sql] = statement
        }
        while true {
            switch statement.step() {
            case SQLITE_ROW: try row(statement)
            case SQLITE_DONE: return
            case let status: throw error(status)
            }
        }
    }

    @discardableResult
    package func execute(_ sql: String, _ values: [SQLValue]) throws -> Int {
        let statement = try prepared(sql)
        try statement.bind(values)
        defer { statement.reset() }
        while true {
            switch statement.step() {
            case SQLITE_ROW: continue
            case SQLITE_DONE: return Int(sqlite3_changes(handle))
            case let status: throw error(status)
            }
        }
    }

    private func prepared(_ sql: String) throws -> Statement {
        if let known = statements[sql] { return known }
        guard let handle else { throw SQLError(.other, "the storage is closed") }
        var pointer: OpaquePointer?
        let status = sqlite3_prepare_v2(handle, sql, -1, &pointer, nil)
        guard status == SQLITE_OK, let pointer else { throw error(status) }
        let statement = Statement(pointer)
        statements[sql] = statement
        return statement
    }

    private func error(_ status: Int32) -> SQLError {
        let text = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "the storage is closed"
        switch status & 0xff {
        case SQLITE_BUSY, SQLITE_LOCKED:
            return SQLError(
                .busy,
                "\(text): another process has been writing for too long; try again, or use "
                    + "postgresql:// for many workers")
        case SQLITE_CONSTRAINT:
            let isUnique =
                status == st_sqlite_constraint_unique
                || status == st_sqlite_constraint_primary_key
            return SQLError(isUnique ? .uniqueViolation : .other, text)
        case SQLITE_NOTADB:
            return SQLError(.malformed, "the file is not an SQLite database")
        case SQLITE_CORRUPT:
            return SQLError(.malformed, "\(text): the file is damaged")
        case SQLITE_READONLY:
            return SQLError(.other, "\(text): the file or its folder can't be written")
        default:
            return SQLError(.other, text)
        }
    }

    // MARK: Transactions

    /// A file answers every COMMIT: `wasMade` is not asked.
    package func transaction<Result>(
        _ kind: TransactionKind, wasMade: ((Result) throws -> Bool)?, _ body: () throws -> Result
    ) throws -> Result {
        if isInTransaction { return try body() }
        if defersSync { try setSync(kind == .durable) }
        // IMMEDIATE takes the lock for writing at once: waiting for it is safe, while a reader
        // that wants to become a writer may have to start over.
        try execute(kind == .read ? "BEGIN" : "BEGIN IMMEDIATE")
        isInTransaction = true
        defer { isInTransaction = false }
        do {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            _ = try? execute("ROLLBACK")
            throw error
        }
    }

    package func changeToken() throws -> ChangeToken? {
        let version = try first("PRAGMA data_version") { try $0.int(0) }
        return version.map { ChangeToken(others: $0, own: Int(sqlite3_total_changes(handle))) }
    }

    private func setSync(_ syncs: Bool) throws {
        guard syncs != syncsNow else { return }
        try execute(syncs ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
        syncsNow = syncs
    }
}

/// A prepared statement and its current row.
private final class Statement: SQLRow {
    private let pointer: OpaquePointer
    /// SQLite's index of `$1`, `$2`, …; 0 where the statement does not use one.
    private let indices: [Int32]

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
        var indices: [Int32] = []
        var number = 1
        // Parameters are numbered without gaps.
        while indices.count < Int(sqlite3_bind_parameter_count(pointer)) {
            indices.append(sqlite3_bind_parameter_index(pointer, "$\(number)"))
            number += 1
        }
        self.indices = indices
    }

    deinit { sqlite3_finalize(pointer) }

    func step() -> Int32 { sqlite3_step(pointer) }

    func reset() {
        sqlite3_reset(pointer)
        sqlite3_clear_bindings(pointer)
    }

    func bind(_ values: [SQLValue]) throws {
        guard values.count == indices.count else {
            throw SQLError(
                .other, "internal error: \(values.count) values for \(indices.count) parameters")
        }
        for (value, index) in zip(values, indices) {
            let status: Int32 =
                switch value {
                case .null: sqlite3_bind_null(pointer, index)
                case .int(let number): sqlite3_bind_int64(pointer, index, Int64(number))
                case .double(let number): sqlite3_bind_double(pointer, index, number)
                case .text(let text): bind(text, index)
                case .ids(let ids):
                    bind("[" + ids.map { String($0) }.joined(separator: ",") + "]", index)
                }
            guard status == SQLITE_OK else {
                throw SQLError(.other, String(cString: sqlite3_errstr(status)))
            }
        }
    }

    private func bind(_ text: String, _ index: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                // No address means null, which an empty text is not.
                $0.baseAddress.map { st_sqlite_bind_text(pointer, index, $0, Int64(bytes.count)) }
                    ?? st_sqlite_bind_text(pointer, index, "", 0)
            }
        }
    }

    // MARK: Row

    func isNull(_ column: Int) -> Bool {
        sqlite3_column_type(pointer, Int32(column)) == SQLITE_NULL
    }

    func int(_ column: Int) throws -> Int {
        let index = Int32(column)
        switch sqlite3_column_type(pointer, index) {
        case SQLITE_INTEGER: return Int(sqlite3_column_int64(pointer, index))
        case SQLITE_FLOAT:
            if let whole = Int(exactly: sqlite3_column_double(pointer, index)) { return whole }
            throw mismatch(column, "a whole number")
        default: throw mismatch(column, "a whole number")
        }
    }

    func double(_ column: Int) throws -> Double {
        let index = Int32(column)
        switch sqlite3_column_type(pointer, index) {
        case SQLITE_INTEGER, SQLITE_FLOAT: return sqlite3_column_double(pointer, index)
        default: throw mismatch(column, "a number")
        }
    }

    func text(_ column: Int) throws -> String {
        let index = Int32(column)
        guard sqlite3_column_type(pointer, index) == SQLITE_TEXT,
            let start = sqlite3_column_text(pointer, index)
        else { throw mismatch(column, "a text") }
        let count = Int(sqlite3_column_bytes(pointer, index))
        let bytes = UnsafeBufferPointer(start: start, count: count)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw mismatch(column, "valid UTF-8")
        }
        return text
    }

    private func mismatch(_ column: Int, _ expected: String) -> SQLError {
        let index = Int32(column)
        let kinds = [
            SQLITE_INTEGER: "an integer", SQLITE_FLOAT: "a number", SQLITE_TEXT: "a text",
            SQLITE_BLOB: "a blob", SQLITE_NULL: "nothing",
        ]
        let found = kinds[sqlite3_column_type(pointer, index)] ?? "something else"
        let name = sqlite3_column_name(pointer, index).map { String(cString: $0) } ?? "?"
        return SQLError(.malformed, "column '\(name)': expected \(expected), found \(found)")
    }
}
