// Storage URLs as messages may show them.

/// What scripts write where a storage is meant: `postgresql://user:password@host/db`.
package enum StorageURL {
    /// The URL with "***" for the password, also for one that is given as an option behind "?".
    package static func withoutPassword(_ url: String) -> String {
        // Without "://" it is a slip, which may hold a password all the same.
        let start = url.firstRange(of: "://")?.upperBound ?? url.startIndex
        let rest = url[start...]
        let mark = rest.firstIndex(of: "?") ?? rest.endIndex
        // The last @ counts: a password that was not percent-encoded may hold others, and slashes
        // and question marks.
        let at = rest[..<mark].lastIndex(of: "@") ?? rest.lastIndex(of: "@")
        guard let at, let colon = rest[..<at].firstIndex(of: ":") else {
            return String(url[..<mark]) + withoutSecrets(rest[mark...])
        }
        let shown = String(url[...colon]) + "***"
        if at > mark { return shown + rest[at...] }
        return shown + rest[at..<mark] + withoutSecrets(rest[mark...])
    }

    /// `?sslmode=require&password=***`
    private static func withoutSecrets(_ query: Substring) -> String {
        query.split(separator: "&", omittingEmptySubsequences: false).map { option in
            guard let equals = option.firstIndex(of: "=") else { return String(option) }
            let name = option[..<equals].lowercased()
            return name.contains("pass") ? option[...equals] + "***" : String(option)
        }.joined(separator: "&")
    }
}
