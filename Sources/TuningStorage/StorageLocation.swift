// Storage URLs, as SQLAlchemy and with it Optuna reads them.

import Tuning

/// Where a URL leads.
package enum StorageLocation: Sendable, Equatable {
    /// - path: `nil` for a database in memory.
    /// - timeout: seconds to wait for locks.
    case sqlite(path: String?, timeout: Double)
    /// Connection parameters of libpq by name.
    case postgresql([Parameter])

    package struct Parameter: Sendable, Equatable {
        package let name: String
        package let value: String
    }

    /// How long SQLite waits for others before "database is locked": many workers of one study
    /// write one after the other.
    static let defaultTimeout = 60.0

    /// Refuses, with the way out, what is neither SQLite nor PostgreSQL.
    package init(_ url: String) throws {
        func refuse(_ problem: String) -> TuningError {
            .storage(url: StorageURL.withoutPassword(url), problem: problem)
        }
        if url.utf8.contains(0) {
            throw TuningError.storage(url: "?", problem: "the URL holds a zero byte")
        }
        guard let separator = url.firstRange(of: "://") else {
            throw refuse(
                "expected a URL such as 'sqlite:///study.db' or "
                    + "'postgresql://user:password@host/database'")
        }
        let scheme = url[..<separator.lowerBound].lowercased()
        var rest = url[separator.upperBound...]
        var options: [(name: String, value: String)] = []
        if let mark = rest.firstIndex(of: "?") {
            for option in rest[rest.index(after: mark)...].split(separator: "&") {
                guard let equals = option.firstIndex(of: "="),
                    let name = decoded(option[..<equals]),
                    let value = decoded(option[option.index(after: equals)...])
                else { throw refuse("the options behind '?' must be NAME=VALUE, joined by '&'") }
                options.append((name, value))
            }
            rest = rest[..<mark]
        }
        switch scheme {
        case "sqlite", "sqlite+pysqlite": self = try Self.sqlite(rest, options, refuse)
        case "postgresql", "postgresql+psycopg2", "postgresql+psycopg", "postgresql+asyncpg",
            "postgresql+pg8000", "postgres":
            self = try Self.postgresql(rest, options, refuse)
        default:
            throw refuse(
                "studies are kept in sqlite:// or postgresql:// databases, or in a journal file "
                    + "(optuna.storages.JournalStorage); '\(scheme)' is not available")
        }
    }

    private static func sqlite(
        _ rest: Substring, _ options: [(name: String, value: String)],
        _ refuse: (String) -> TuningError
    ) throws -> StorageLocation {
        var timeout = defaultTimeout
        for (name, value) in options {
            guard name == "timeout", let seconds = Double(value), seconds >= 0 else {
                throw refuse("'\(name)' is not an option here; only 'timeout' (seconds) is")
            }
            timeout = seconds
        }
        if rest.isEmpty { return .sqlite(path: nil, timeout: timeout) }
        guard rest.first == "/" else {
            throw refuse(
                "a file is 'sqlite:///relative.db' or 'sqlite:////absolute.db', with three or "
                    + "four slashes")
        }
        let path = String(rest.dropFirst())
        if path.isEmpty || path == ":memory:" { return .sqlite(path: nil, timeout: timeout) }
        if path.hasPrefix("file:") {
            throw refuse("'file:' URIs are not available; write the path itself")
        }
        return .sqlite(path: path, timeout: timeout)
    }

    private static func postgresql(
        _ rest: Substring, _ options: [(name: String, value: String)],
        _ refuse: (String) -> TuningError
    ) throws -> StorageLocation {
        var parameters: [Parameter] = []
        func add(_ name: String, _ text: Substring) throws {
            guard let value = decoded(text) else {
                throw refuse("the \(name) is not percent-encoded correctly")
            }
            if !value.isEmpty { parameters.append(Parameter(name: name, value: value)) }
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        var authority = rest[..<slash]
        let database = rest[slash...].dropFirst()
        if database.contains("@") {
            throw refuse(
                "write '/' as %2F and '@' as %40 in user and password: there is an '@' behind the "
                    + "first '/'")
        }
        if let at = authority.lastIndex(of: "@") {
            let user = authority[..<at]
            authority = authority[authority.index(after: at)...]
            let colon = user.firstIndex(of: ":") ?? user.endIndex
            try add("user", user[..<colon])
            try add("password", user[colon...].dropFirst())
        }
        if !authority.isEmpty {
            let (host, port) = split(authority)
            try add("host", host)
            try add("port", port)
        }
        try add("dbname", database)
        // Several hosts are tried in their order: ?host=a:5432&host=b:5432
        var hosts: [(Substring, Substring)] = []
        for (name, value) in options {
            if name == "host" {
                hosts.append(value.hasPrefix("/") ? (value[...], "") : split(value[...]))
            } else {
                parameters.append(Parameter(name: name, value: value))
            }
        }
        if !hosts.isEmpty {
            parameters.removeAll { $0.name == "host" }
            parameters.append(
                Parameter(name: "host", value: hosts.map { String($0.0) }.joined(separator: ",")))
            if hosts.contains(where: { !$0.1.isEmpty }) {
                parameters.removeAll { $0.name == "port" }
                parameters.append(
                    Parameter(
                        name: "port", value: hosts.map { String($0.1) }.joined(separator: ",")))
            }
        }
        return .postgresql(parameters)
    }

    /// Host and port; an IPv6 address stands in brackets.
    private static func split(_ text: Substring) -> (host: Substring, port: Substring) {
        if text.first == "[", let end = text.firstIndex(of: "]") {
            let after = text[text.index(after: end)...]
            return (text[..<end].dropFirst(), after.first == ":" ? after.dropFirst() : "")
        }
        guard let colon = text.lastIndex(of: ":") else { return (text, "") }
        return (text[..<colon], text[colon...].dropFirst())
    }
}

/// Text with `%40` and its like decoded; `nil` if that gives no text.
private func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard let digits = String(rest.prefix(2)), digits.utf8.count == 2,
            digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let code = UInt8(digits, radix: 16), code != 0
        else { return nil }
        bytes.append(code)
        rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
}
