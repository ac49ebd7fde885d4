import Glibc

/// Where the hub and the cache are and how to behave: the environment variables of
/// huggingface_hub, read once.
public struct HubConfiguration: Sendable {
    /// `HF_ENDPOINT`, without a slash at the end.
    public var endpoint = "https://huggingface.co"
    /// `HF_HUB_CACHE`, or "hub" below `HF_HOME`.
    public var cacheFolder: String
    /// `HF_HUB_OFFLINE`, or `TRANSFORMERS_OFFLINE`.
    public var isOffline = false
    /// `HF_DATASETS_OFFLINE`: datasets come from the cache alone, models may be fetched.
    public var areDatasetsOffline = false
    /// `HF_TOKEN`, or what the file at ``tokenPath`` holds.
    public var token: String?
    /// `HF_TOKEN_PATH`, or "token" below `HF_HOME`: where 'hf auth login' puts the token.
    public var tokenPath: String
    /// False with `HF_HUB_DISABLE_IMPLICIT_TOKEN`: the token is sent only when a call says so.
    public var sendsTokenUnasked = true
    /// Seconds until a connection stands (`HF_HUB_ETAG_TIMEOUT`).
    public var connectTimeout = 10
    /// Seconds without a byte after which a transfer counts as cut (`HF_HUB_DOWNLOAD_TIMEOUT`).
    public var stallTimeout = 10
    public var retries = Retries()
    /// Downloads that run at the same time.
    public var workers = 4

    /// What happens after a failure that may pass: a cut, no answer, 408, 429, 5xx.
    public struct Retries: Sendable {
        /// Attempts after the first; one that brought bytes of a file doesn't count.
        public var count = 5
        /// Of these, how many while no connection can be made at all.
        public var connectCount = 2
        /// Seconds before the second attempt; doubles each time up to `longestPause`, and varies
        /// by a quarter so that many clients don't come back together.
        public var pause = 1.0
        public var longestPause = 8.0
        /// The longest wait that a server may ask for, in seconds.
        public var longestRetryAfter = 300.0

        public init() {}
    }

    /// - variable: the value of an environment variable.
    public init(variable: (String) -> String? = HubConfiguration.environment) {
        func value(_ name: String) -> String? {
            variable(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        func isSet(_ name: String) -> Bool {
            ["1", "ON", "YES", "TRUE"].contains(value(name)?.uppercased() ?? "")
        }
        func path(_ name: String) -> String? {
            value(name).map { Self.expand($0, variable: variable) }
        }
        func below(_ folder: String, _ name: String) -> String {
            folder.hasSuffix("/") ? folder + name : folder + "/" + name
        }
        let cache = path("XDG_CACHE_HOME") ?? Self.expand("~/.cache", variable: variable)
        let home = path("HF_HOME") ?? below(cache, "huggingface")
        cacheFolder =
            path("HF_HUB_CACHE") ?? path("HUGGINGFACE_HUB_CACHE") ?? below(home, "hub")
        tokenPath = path("HF_TOKEN_PATH") ?? below(home, "token")
        if var given = value("HF_ENDPOINT") {
            while given.hasSuffix("/") { given.removeLast() }
            endpoint = given
        }
        isOffline = isSet(
            value("HF_HUB_OFFLINE") == nil ? "TRANSFORMERS_OFFLINE" : "HF_HUB_OFFLINE")
        areDatasetsOffline = isSet("HF_DATASETS_OFFLINE")
        sendsTokenUnasked = !isSet("HF_HUB_DISABLE_IMPLICIT_TOKEN")
        func seconds(_ name: String, _ preset: Int) -> Int {
            value(name).flatMap { Int($0) }.map { min(max($0, 1), 3600) } ?? preset
        }
        connectTimeout = seconds("HF_HUB_ETAG_TIMEOUT", connectTimeout)
        stallTimeout = seconds("HF_HUB_DOWNLOAD_TIMEOUT", stallTimeout)
        token =
            Self.clean(value("HF_TOKEN") ?? value("HUGGING_FACE_HUB_TOKEN"))
            ?? Self.clean(LocalFile.readSmall(tokenPath, limit: 1 << 16))
    }

    /// The value of a variable of this process.
    public static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// A token as it is sent, or nil for nothing but space.
    static func clean(_ text: String?) -> String? {
        guard let text else { return nil }
        let token = text.unicodeScalars.filter { $0 != "\r" && $0 != "\n" }
            .drop { $0.properties.isWhitespace }
        let trimmed = token.reversed().drop { $0.properties.isWhitespace }.reversed()
        return trimmed.isEmpty ? nil : String(String.UnicodeScalarView(trimmed))
    }

    /// "~" at the start, and `$NAME` or `${NAME}` of variables that are set.
    public static func expand(
        _ path: String, variable: (String) -> String? = HubConfiguration.environment
    ) -> String {
        var path = path[...]
        var result = ""
        if path == "~" || path.hasPrefix("~/"), let home = variable("HOME") {
            result = home
            path = path.dropFirst()
        }
        while let dollar = path.firstIndex(of: "$") {
            result += path[..<dollar]
            let rest = path[path.index(after: dollar)...]
            let isBraced = rest.first == "{"
            let body = isBraced ? rest.dropFirst() : rest
            let name = body.prefix {
                isBraced ? $0 != "}" : $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber))
            }
            let isClosed = !isBraced || body.dropFirst(name.count).first == "}"
            if !name.isEmpty, isClosed, let value = variable(String(name)) {
                result += value
                path = body.dropFirst(name.count + (isBraced ? 1 : 0))
            } else {
                result += "$"
                path = rest
            }
        }
        return result + path
    }
}

/// The token that a call asks for.
public enum HubToken: Sendable, Equatable {
    /// The stored one, if any.
    case automatic
    /// The stored one, which must be there.
    case required
    case none
    case value(String)

    func resolve(_ configuration: HubConfiguration) throws(HubError) -> String? {
        switch self {
        case .automatic: return configuration.sendsTokenUnasked ? configuration.token : nil
        case .none: return nil
        case .required:
            guard let token = configuration.token else {
                throw .tokenMissing(path: configuration.tokenPath)
            }
            return token
        case .value(let token):
            guard let token = HubConfiguration.clean(token) else { return nil }
            return token
        }
    }
}
