// Names that go into addresses and paths: repositories, revisions, files. Whatever comes from a
// script or the network passes through here before a file is touched.

/// A model or dataset repository of a hub.
public struct HubRepository: Sendable, Hashable {
    public enum Kind: String, Sendable {
        case model, dataset
    }

    public let kind: Kind
    /// "name" or "organization/name".
    public let id: String

    /// - Throws: `HubError.invalid` for a name that no hub gives to a repository.
    public init(_ id: String, kind: Kind) throws(HubError) {
        func invalid(_ problem: String) -> HubError {
            .invalid(
                what: "\(kind.rawValue) id", value: id, problem: problem,
                hint: "an id looks like 'organization/name'; a local folder must exist")
        }
        let parts = id.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count) else { throw invalid("is no name of a repository") }
        for part in parts {
            guard let first = part.first, let last = part.last, part.count <= 96 else {
                throw invalid("a part is empty or longer than 96 characters")
            }
            guard part.allSatisfy(Self.isAllowed) else {
                throw invalid("only ASCII letters, digits, '-', '_' and '.' are allowed")
            }
            guard Self.isWord(first), Self.isWord(last) else {
                throw invalid("a part starts or ends with '-' or '.'")
            }
        }
        guard !id.contains("--"), !id.contains("..") else { throw invalid("holds '--' or '..'") }
        guard !id.hasSuffix(".git") else { throw invalid("ends with '.git'") }
        self.kind = kind
        self.id = id
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        isWord(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    /// The name of its folder in a cache: "models--organization--name".
    var folderName: String {
        (["\(kind.rawValue)s"] + id.split(separator: "/").map(String.init)).joined(separator: "--")
    }

    /// What stands before the id in the address of a page or a file.
    private var prefix: String { kind == .dataset ? "datasets/" : "" }

    func page(_ endpoint: String) -> String { "\(endpoint)/\(prefix)\(id)" }

    func informationURL(_ endpoint: String, revision: String) -> String {
        "\(endpoint)/api/\(kind.rawValue)s/\(id)/revision/\(HubName.quoted(revision, keep: ""))"
    }

    func treeURL(_ endpoint: String, commit: String) -> String {
        "\(endpoint)/api/\(kind.rawValue)s/\(id)/tree/\(HubName.quoted(commit, keep: ""))"
            + "?recursive=true&expand=false"
    }

    func fileURL(_ endpoint: String, revision: String, file: String) -> String {
        "\(endpoint)/\(prefix)\(id)/resolve/\(HubName.quoted(revision, keep: ""))/"
            + HubName.quoted(file, keep: "/")
    }
}

extension HubRepository: CustomStringConvertible {
    public var description: String { "\(kind.rawValue) '\(id)'" }
}

/// Checks and spellings of single names.
enum HubName {
    /// A path inside a repository that stays inside a folder when joined to it.
    static func checkFile(_ name: String) throws(HubError) {
        guard let problem = pathProblem(name) else { return }
        throw .invalid(
            what: "file name", value: printable(name), problem: problem,
            hint: "the repository's owner should rename the file")
    }

    /// A branch, tag, commit, or a reference such as refs/pr/3.
    static func checkRevision(_ name: String) throws(HubError) {
        guard let problem = pathProblem(name) else { return }
        throw .invalid(
            what: "revision", value: printable(name), problem: problem,
            hint: "give a branch, a tag or a commit")
    }

    /// A name that the server gives and that becomes a single file or folder: commit, etag.
    static func isFileName(_ name: String) -> Bool {
        (1...200).contains(name.utf8.count) && name.first != "."
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                    UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    static func isCommit(_ name: String) -> Bool { name.utf8.count == 40 && isHexadecimal(name) }

    static func isHexadecimal(_ name: String) -> Bool {
        name.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
    }

    private static func pathProblem(_ name: String) -> String? {
        if name.isEmpty || name.utf8.count > 1024 { return "is empty or too long" }
        if name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
            return "holds control characters"
        }
        // Windows reads '\' and 'C:' as parts of a path; a cache may be carried there.
        if name.contains("\\") { return "holds '\\'" }
        for part in name.split(separator: "/", omittingEmptySubsequences: false) {
            if part.isEmpty { return "is absolute or has an empty part" }
            if part == "." || part == ".." { return "has a part '\(part)'" }
            if part.dropFirst().first == ":" { return "has a part that names a drive" }
            if part.utf8.count > 255 { return "has a part longer than 255 bytes" }
        }
        return nil
    }

    /// Percent encoding as Python's `quote`.
    static func quoted(_ text: String, keep: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "."), UInt8(ascii: "~"):
                result.append(byte)
            case _ where keep.utf8.contains(byte): result.append(byte)
            default:
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func printable(_ name: String) -> String {
        String(
            String.UnicodeScalarView(
                name.unicodeScalars.prefix(200).map {
                    $0.value < 0x20 || $0.value == 0x7f ? "?" : $0
                }))
    }
}
