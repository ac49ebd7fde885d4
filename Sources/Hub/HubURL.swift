// The parts of addresses that redirects and tokens depend on.

enum HubURL {
    /// Scheme, host and port, in one spelling; nil when the address is none of http or https.
    static func origin(_ url: String) -> String? {
        guard let schemeEnd = url.firstRange(of: "://") else { return nil }
        let scheme = url[..<schemeEnd.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = url[schemeEnd.upperBound...]
        var authority = rest.prefix { !"/?#\\".contains($0) }
        if let at = authority.lastIndex(of: "@") {
            authority = authority[authority.index(after: at)...]
        }
        var host = authority.lowercased()
        let preset = scheme == "http" ? ":80" : ":443"
        if host.hasSuffix(preset) { host.removeLast(preset.count) }
        return host.isEmpty ? nil : "\(scheme)://\(host)"
    }

    /// Where a redirect leads; nil for an address that is not to be followed.
    static func redirect(from url: String, to location: String) -> String? {
        guard !location.isEmpty,
            !location.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }),
            let origin = origin(url)
        else { return nil }
        if location.hasPrefix("//") { return String(origin.prefix { $0 != "/" }) + location }
        if location.hasPrefix("/") { return prefix(url) + location }
        if location.firstRange(of: "://") != nil {
            guard let target = Self.origin(location) else { return nil }
            // What began encrypted stays encrypted.
            return origin.hasPrefix("https:") && target.hasPrefix("http:") ? nil : location
        }
        let path = url.prefix { $0 != "?" && $0 != "#" }
        return path.lastIndex(of: "/").map { String(path[...$0]) + location }
    }

    /// Scheme and authority as they are written.
    private static func prefix(_ url: String) -> String {
        guard let schemeEnd = url.firstRange(of: "://") else { return url }
        let rest = url[schemeEnd.upperBound...]
        return String(url[..<schemeEnd.upperBound]) + rest.prefix { !"/?#".contains($0) }
    }

    /// For messages: without query, which may be signed, and without name and password.
    static func shown(_ url: String) -> String {
        let path = url.prefix { $0 != "?" && $0 != "#" }
        guard let origin = origin(url), let schemeEnd = path.firstRange(of: "://") else {
            return String(path)
        }
        return origin + path[schemeEnd.upperBound...].drop { $0 != "/" }
    }
}
