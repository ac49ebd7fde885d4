/// Everything that can go wrong between a hub id and files on this machine.
///
/// Cases hold data; `description` makes the one sentence a user reads: what happened, then the way
/// out. Addresses appear without their query, which may hold a signature; tokens never appear.
public enum HubError: Error, Sendable, Equatable {
    /// A name that no repository, revision or file of a hub can have.
    case invalid(what: String, value: String, problem: String, hint: String? = nil)
    /// There is no such repository, or it is private and the token, if any, does not open it.
    case repositoryNotFound(HubRepository, endpoint: String, hasToken: Bool)
    /// One has to ask for access on the repository's page first.
    case gated(HubRepository, endpoint: String, hasToken: Bool)
    /// The hub does not know the token.
    case unauthorized(endpoint: String)
    case disabled(HubRepository)
    case revisionNotFound(HubRepository, revision: String)
    case fileNotFound(HubRepository, file: String, commit: String)
    /// `token = true`, and there is none.
    case tokenMissing(path: String)
    /// The network may not be used, and the cache lacks what is asked for.
    case notCached(HubRepository, revision: String, what: String?, cache: String, reason: String)
    /// No answer from the server.
    case network(host: String, problem: String, attempts: Int)
    /// An answer that is no success, after all retries.
    case response(url: String, status: Int, message: String?)
    /// An answer that no hub gives.
    case protocolBreach(url: String, problem: String)
    /// The received bytes are not the file's.
    case corrupt(HubRepository, file: String, problem: String)
    case diskFull(path: String, needed: Int?, free: Int?)
    case file(path: String, problem: String, hint: String? = nil)
    /// What a repository holds can't be used as asked.
    case unsuitable(HubRepository, problem: String, hint: String? = nil)
    /// What a dataset's folder or repository holds can't be loaded as asked.
    case dataset(name: String, problem: String, hint: String? = nil)
    /// A library of the system can't be used.
    case library(name: String, problem: String)
    /// Stopped from outside (Ctrl-C).
    case cancelled
}

extension HubError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalid(let what, let value, let problem, let hint):
            return sentence("\(what) '\(value)': \(problem)", hint)
        case .repositoryNotFound(let repository, let endpoint, let hasToken):
            return "\(repository) is not on the hub (\(endpoint)), or it is private; check the name"
                + (hasToken ? ", and that your token may read it" : Self.logIn)
        case .gated(let repository, let endpoint, let hasToken):
            return "\(repository) is gated; ask for access on \(repository.page(endpoint))"
                + (hasToken ? " with the account of your token" : Self.logIn)
        case .unauthorized(let endpoint):
            return "the hub (\(endpoint)) refuses the token; check HF_TOKEN or log in again with"
                + " 'hf auth login'"
        case .disabled(let repository):
            return "\(repository) has been disabled on the hub; use another one"
        case .revisionNotFound(let repository, let revision):
            return "\(repository) has no revision '\(revision)'; give a branch, a tag or a commit"
        case .fileNotFound(let repository, let file, let commit):
            return "\(repository) has no file '\(file)' (commit \(commit.prefix(12)))"
        case .tokenMissing(let path):
            return "token = true, but there is no token in HF_TOKEN or '\(path)'; log in with"
                + " 'hf auth login'"
        case .notCached(let repository, let revision, let what, let cache, let reason):
            let subject = what.map { "\($0) of \(repository)" } ?? "\(repository)"
            return
                "\(subject) (revision '\(revision)') is not in the cache '\(cache)', and \(reason);"
                + " run once with network, or give a local folder"
        default:
            return technicalDescription
        }
    }

    private var technicalDescription: String {
        switch self {
        case .network(let host, let problem, let attempts):
            let tries = attempts > 1 ? " after \(attempts) attempts" : ""
            return "no answer from \(host)\(tries): \(problem); check the network and HF_ENDPOINT,"
                + " or set HF_HUB_OFFLINE=1 to use the cache alone"
        case .response(let url, let status, let message):
            let text = message.map { ": \($0)" } ?? ""
            return sentence("\(url) answers \(status)\(text)", Self.hint(status))
        case .protocolBreach(let url, let problem):
            return "\(url): \(problem); check HF_ENDPOINT and the proxy"
        case .corrupt(let repository, let file, let problem):
            return "'\(file)' of \(repository): \(problem); nothing was kept, try again later"
        case .diskFull(let path, let needed, let free):
            let amounts = [
                needed.map { "\(Self.size($0)) are needed" }, free.map { "\(Self.size($0)) free" },
            ].compactMap(\.self).joined(separator: ", ")
            return
                "the disk of '\(path)' is full\(amounts.isEmpty ? "" : " (\(amounts))"); free some"
                + " space, or put the cache elsewhere with HF_HOME or cache_folder"
        case .file(let path, let problem, let hint):
            return sentence("'\(path)': \(problem)", hint)
        case .unsuitable(let repository, let problem, let hint):
            return sentence("\(repository): \(problem)", hint)
        case .dataset(let name, let problem, let hint):
            return sentence("dataset '\(name)': \(problem)", hint)
        case .library(let name, let problem):
            return "\(name) can't be used: \(problem)"
        default:
            return "interrupted"
        }
    }

    private func sentence(_ text: String, _ hint: String?) -> String {
        hint.map { "\(text); \($0)" } ?? text
    }

    private static let logIn =
        ", or give a token (HF_TOKEN, 'hf auth login', or token = \"hf_...\")"

    private static func hint(_ status: Int) -> String? {
        switch status {
        case 403: "check that the token has the right to read this"
        case 407: "the proxy wants a name and a password; see HTTPS_PROXY"
        case 429: "too many requests; wait some minutes, or use a token"
        case 500...: "the hub has a problem; try again later, or set HF_HUB_OFFLINE=1"
        default: nil
        }
    }

    static func size(_ bytes: Int) -> String {
        let units = ["bytes", "kB", "MB", "GB", "TB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        let tenths = Int(value * 10)
        return unit == 0 || tenths % 10 == 0
            ? "\(tenths / 10) \(units[unit])" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
