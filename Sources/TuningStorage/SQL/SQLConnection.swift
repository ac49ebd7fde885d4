// What the relational storage needs of a database, so that its statements are written once.
// Two drivers: SQLiteConnection and PostgreSQLConnection.

/// A connection that belongs to one thread at a time.
///
/// Statements number their parameters `$1`, `$2`, …; values are always bound, never part of the
/// text. The text of a statement is fixed or made from fixed parts, so drivers may keep prepared
/// statements by text.
package protocol SQLConnection: AnyObject {
    var dialect: SQLDialect { get }

    /// Calls `row` for every row of the result.
    func query(_ sql: String, _ values: [SQLValue], _ row: (any SQLRow) throws -> Void) throws

    /// Runs a statement that changes something; returns how many rows it changed.
    @discardableResult
    func execute(_ sql: String, _ values: [SQLValue]) throws -> Int

    /// Runs `body` as a whole: all of what it does, or nothing when it throws.
    ///
    /// May run `body` again after a conflict with another worker or a lost connection, so it must
    /// not leave traces outside the database before it returns.
    ///
    /// - wasMade: whether the database holds what a run of `body` with this result did. Asked when
    ///   the answer to its COMMIT was lost, so that a thing is not done twice. `nil` where `body` may
    ///   be done again: it sets what is set already.
    func transaction<Result>(
        _ kind: TransactionKind, wasMade: ((Result) throws -> Bool)?, _ body: () throws -> Result
    ) throws -> Result

    /// Where the database stands: as long as this is the same, nobody has changed it. `nil` where
    /// that is not cheaper to ask than the data.
    func changeToken() throws -> ChangeToken?

    func close()
}

/// See ``SQLConnection/changeToken()``.
package struct ChangeToken: Sendable, Equatable {
    /// Counts what other connections commit.
    let others: Int
    /// Counts the rows that this one changes.
    let own: Int
}

package enum TransactionKind {
    /// One view of the data for several queries, where the database gives it without waiting.
    case read
    /// Seen by all workers when it returns, and as durable as the next `.durable` one.
    case write
    /// On the disk when it returns.
    case durable
}

extension SQLConnection {
    /// A transaction that may be done again.
    package func transaction<Result>(
        _ kind: TransactionKind, _ body: () throws -> Result
    ) throws -> Result {
        try transaction(kind, wasMade: nil, body)
    }

    package func query(_ sql: String, _ row: (any SQLRow) throws -> Void) throws {
        try query(sql, [], row)
    }

    /// The only row, or `nil`.
    package func first<Result>(
        _ sql: String, _ values: [SQLValue] = [], _ read: (any SQLRow) throws -> Result
    ) throws -> Result? {
        var result: Result?
        try query(sql, values) { row in
            if result == nil { result = try read(row) }
        }
        return result
    }

    @discardableResult
    package func execute(_ sql: String) throws -> Int { try execute(sql, []) }
}

/// A value of a statement's parameter.
package enum SQLValue: Sendable {
    case null
    case int(Int)
    case double(Double)
    case text(String)
    /// For ``SQLDialect/isIn(_:_:)``.
    case ids([Int])

    package init(_ text: String?) { self = text.map { .text($0) } ?? .null }
}

/// The current row of a result; columns count from 0. Reading another type than a column holds,
/// or a null, throws ``SQLError`` of kind `.malformed`: files can be damaged.
package protocol SQLRow {
    func isNull(_ column: Int) -> Bool
    func int(_ column: Int) throws -> Int
    func double(_ column: Int) throws -> Double
    func text(_ column: Int) throws -> String
}

extension SQLRow {
    package func optionalText(_ column: Int) throws -> String? {
        isNull(column) ? nil : try text(column)
    }

    package func optionalDouble(_ column: Int) throws -> Double? {
        isNull(column) ? nil : try double(column)
    }
}

/// What went wrong in a database.
package struct SQLError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// A row with that key is there already.
        case uniqueViolation
        /// Somebody else holds a lock for too long.
        case busy
        /// Two workers got in each other's way; the same thing tried again may work.
        case conflict
        case connectionLost
        /// A value that no program of ours or Optuna's writes.
        case malformed
        case other
    }

    package let kind: Kind
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

/// Where the two databases speak differently.
package enum SQLDialect: Sendable {
    case sqlite
    case postgresql

    /// Whether `column` is one of a parameter of kind ``SQLValue/ids(_:)``.
    package func isIn(_ column: String, _ parameter: String) -> String {
        switch self {
        case .sqlite: "\(column) IN (SELECT value FROM json_each(\(parameter)))"
        case .postgresql: "\(column) = ANY (CAST(\(parameter) AS INTEGER[]))"
        }
    }

    /// Behind a SELECT: keeps others from changing the row until the end of the transaction.
    /// SQLite's transactions that write exclude each other anyway.
    package var forUpdate: String { self == .postgresql ? " FOR UPDATE" : "" }

    /// Names of the tables that are there, one a row.
    package var tableNames: String {
        switch self {
        case .sqlite: "SELECT name FROM sqlite_master WHERE type = 'table'"
        case .postgresql:
            "SELECT tablename FROM pg_catalog.pg_tables "
                + "WHERE schemaname = ANY (current_schemas(false))"
        }
    }

    /// Seconds between a heartbeat and now, by the database's clock.
    package var heartbeatAge: String {
        switch self {
        case .sqlite: "(strftime('%s', 'now') - strftime('%s', heartbeat))"
        case .postgresql:
            "EXTRACT(EPOCH FROM (CAST(CURRENT_TIMESTAMP AS TIMESTAMP) - heartbeat))"
        }
    }
}
