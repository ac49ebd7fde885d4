// Storage URLs as messages may show them.

/// What scripts write where a storage is meant: `postgresql://user:password@host/db`.
package enum StorageURL {
    /// The URL with "***" for the password.
    package static func withoutPassword(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        // The last @: passwords may hold others.
        guard let at = authority.lastIndex(of: "@"),
            let colon = authority[..<at].firstIndex(of: ":")
        else { return url }
        return url[...colon] + "***" + url[at...]
    }
}
