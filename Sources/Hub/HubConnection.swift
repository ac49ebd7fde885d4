// Requests to one repository: addresses, the token, redirects, retries, what refusals mean.
import Glibc
import OrderedJSON

struct HubConnection: Sendable {
    let client: HubClient
    let repository: HubRepository
    let token: String?
    private let endpoint: String
    private let origin: String

    init(_ client: HubClient, repository: HubRepository, token: String?) throws(HubError) {
        let endpoint = client.configuration.endpoint
        guard let origin = HubURL.origin(endpoint),
            !endpoint.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f })
        else {
            throw .invalid(
                what: "HF_ENDPOINT", value: HubURL.shown(endpoint),
                problem: "is no address of a server",
                hint: "give one such as https://huggingface.co")
        }
        if let token, token.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f }) {
            throw .invalid(
                what: "token", value: "(not shown)", problem: "holds characters that no token has",
                hint: "copy it again from your account's settings")
        }
        self.client = client
        self.repository = repository
        self.token = token
        self.endpoint = endpoint
        self.origin = origin
    }

    /// What a file of a commit is and where its bytes are.
    struct Metadata: Sendable {
        var file: String
        var etag: String
        var size: Int?
        /// The address to download from; on another host it carries its own permission.
        var location: String
    }
}

// MARK: - Questions

extension HubConnection {
    /// The commit that a revision stands for, and its files.
    /// - isPatient: false where there is a copy to fall back to.
    func information(revision: String, isPatient: Bool) throws -> (commit: String, files: [String])
    {
        let handle = try CurlHandle(isCancelled: client.isCancelled)
        let url = repository.informationURL(endpoint, revision: revision)
        let (json, _) = try json(url, handle, isPatient: isPatient, revision: revision)
        guard let commit = json["sha"]?.stringValue, HubName.isFileName(commit) else {
            throw HubError.protocolBreach(
                url: HubURL.shown(url), problem: "the answer names no commit, as a hub's does")
        }
        let files =
            try json["siblings"]?.arrayValue?.compactMap { $0["rfilename"]?.stringValue }
            ?? tree(commit, handle, isPatient: isPatient)
        return (commit, files)
    }

    /// The files of a commit, page by page.
    private func tree(_ commit: String, _ handle: CurlHandle, isPatient: Bool) throws -> [String] {
        var files: [String] = []
        var next: String? = repository.treeURL(endpoint, commit: commit)
        // Pages of 1,000: more would be a server that never ends.
        for _ in 0..<10_000 {
            guard let url = next else { break }
            let (json, headers) = try json(url, handle, isPatient: isPatient, revision: commit)
            files += (json.arrayValue ?? []).compactMap { entry in
                entry["type"]?.stringValue == "file" ? entry["path"]?.stringValue : nil
            }
            next = headers["link"].flatMap(Self.nextPage).flatMap {
                HubURL.redirect(from: url, to: $0)
            }
        }
        return files
    }

    /// The address in `<...>; rel="next"`.
    private static func nextPage(_ link: String) -> String? {
        for part in link.split(separator: ",") where part.contains("rel=\"next\"") {
            guard let open = part.firstIndex(of: "<"), let close = part.firstIndex(of: ">"),
                open < close
            else { continue }
            return String(part[part.index(after: open)..<close])
        }
        return nil
    }

    private static let longestJSON = 1 << 28

    private func json(
        _ url: String, _ handle: CurlHandle, isPatient: Bool, revision: String
    ) throws -> (JSONValue, [String: String]) {
        var bytes: [UInt8] = []
        var request = HTTPRequest(url: url)
        // The list of a large repository takes the server a while.
        let stall = client.configuration.stallTimeout
        request.stallTimeout = isPatient ? max(100, stall) : stall
        let (response, _) = try answer(
            request, handle, isPatient: isPatient, what: repository.id,
            start: { bytes = [] },
            receive: { piece in
                bytes.append(contentsOf: piece)
                if bytes.count > Self.longestJSON {
                    throw HubError.protocolBreach(
                        url: HubURL.shown(url), problem: "the answer has no end")
                }
            })
        guard response.isSuccess else {
            throw refusal(response, url: url, revision: revision, file: nil)
        }
        do {
            return (try JSONValue.parse(utf8: bytes), response.headers)
        } catch {
            throw HubError.protocolBreach(
                url: HubURL.shown(url), problem: "the answer is no JSON (\(error))")
        }
    }

    /// Digest, size and place of a file.
    func metadata(_ file: String, commit: String, _ handle: CurlHandle) throws -> Metadata {
        var request = HTTPRequest(
            method: .head, url: repository.fileURL(endpoint, revision: commit, file: file))
        request.headers = [("Accept-Encoding", "identity")]
        request.stallTimeout = client.configuration.stallTimeout
        var linkedTag: String?
        var linkedSize: String?
        // Redirects off the hub are not followed: the file's data is on the redirect itself.
        let (response, last) = try answer(
            request, handle, isPatient: true, what: file,
            follows: { response, target in
                linkedTag = response.headers["x-linked-etag"] ?? linkedTag
                linkedSize = response.headers["x-linked-size"] ?? linkedSize
                return HubURL.origin(target) == origin
            })
        guard response.isSuccess || response.isRedirect else {
            throw refusal(response, url: last, revision: commit, file: file)
        }
        linkedTag = response.headers["x-linked-etag"] ?? linkedTag
        linkedSize = response.headers["x-linked-size"] ?? linkedSize
        let tag = (linkedTag ?? response.headers["etag"]).map(Self.normalized)
        guard let tag, HubName.isFileName(tag) else {
            throw HubError.protocolBreach(
                url: HubURL.shown(last), problem: "the answer has no etag that can name a file")
        }
        let length = linkedSize ?? (response.isRedirect ? nil : response.headers["content-length"])
        var location = last
        if response.isRedirect, let target = response.headers["location"] {
            guard let resolved = HubURL.redirect(from: last, to: target) else {
                throw HubError.protocolBreach(
                    url: HubURL.shown(last), problem: "redirects to an address that is not followed"
                )
            }
            location = resolved
        }
        return Metadata(
            file: file, etag: tag, size: length.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil },
            location: location)
    }

    /// `W/"..."` and `"..."` without their decoration, as Python strips it.
    private static func normalized(_ etag: String) -> String {
        var text = etag.drop { $0 == "W" || $0 == "/" }.drop { $0 == "\"" }
        while text.last == "\"" { text.removeLast() }
        return String(text)
    }
}

// MARK: - Requests

extension HubConnection {
    /// Sends a request until there is an answer that another attempt would not change, following
    /// redirects. The token goes to the hub's own origin and nowhere else.
    ///
    /// - start: before each attempt. - receive: pieces of a successful answer's body.
    /// - follows: whether to go where a redirect leads.
    /// - Returns: the last answer and its address.
    func answer(
        _ request: HTTPRequest, _ handle: CurlHandle, isPatient: Bool, what: String,
        start: () -> Void = {},
        receive: @escaping (UnsafeRawBufferPointer) throws -> Void = { _ in },
        follows: (HTTPResponse, String) -> Bool = { _, _ in true }
    ) throws -> (HTTPResponse, String) {
        var pauses = RetryPauses(client, what: what, isPatient: isPatient)
        while true {
            start()
            do {
                let (response, url) = try once(request, handle, receive: receive, follows: follows)
                guard Self.mayPass(response.status) else { return (response, url) }
                guard
                    try pauses.wait(
                        for: "the server answers \(response.status)",
                        retryAfter: response.retryAfter ?? Self.rateLimitReset(response))
                else { return (response, url) }
            } catch let failure as TransferFailure {
                guard try pauses.wait(for: failure) else {
                    throw HubError.network(
                        host: HubURL.origin(request.url) ?? request.url, problem: failure.problem,
                        attempts: pauses.failures)
                }
            }
        }
    }

    static func mayPass(_ status: Int) -> Bool {
        [408, 429, 500, 502, 503, 504].contains(status)
    }

    /// Seconds until a rate limit ends, by the header of the draft that the hub follows:
    /// `"api";r=0;t=55`.
    static func rateLimitReset(_ response: HTTPResponse) -> Double? {
        guard response.status == 429, let header = response.headers["ratelimit"] else { return nil }
        let fields = header.split(separator: ";").map { $0.filter { $0 != " " } }
        guard fields.contains("r=0") else { return nil }
        return fields.first { $0.hasPrefix("t=") }.flatMap { Double($0.dropFirst(2)) }
    }

    /// One attempt with its redirects.
    func once(
        _ request: HTTPRequest, _ handle: CurlHandle,
        receive: @escaping (UnsafeRawBufferPointer) throws -> Void,
        follows: (HTTPResponse, String) -> Bool
    ) throws -> (HTTPResponse, String) {
        try once(
            request, handle,
            receive: { bytes, response in if response.isSuccess { try receive(bytes) } },
            follows: follows)
    }

    func once(
        _ request: HTTPRequest, _ handle: CurlHandle,
        receive: @escaping (UnsafeRawBufferPointer, HTTPResponse) throws -> Void,
        follows: (HTTPResponse, String) -> Bool
    ) throws -> (HTTPResponse, String) {
        var url = request.url
        for _ in 0..<10 {
            var current = request
            current.url = url
            current.connectTimeout = client.configuration.connectTimeout
            if let token, HubURL.origin(url) == origin {
                current.headers.append(("Authorization", "Bearer \(token)"))
            }
            let response = try handle.perform(current, receive: receive)
            guard response.isRedirect, let location = response.headers["location"] else {
                return (response, url)
            }
            guard let target = HubURL.redirect(from: url, to: location) else {
                throw HubError.protocolBreach(
                    url: HubURL.shown(url), problem: "redirects to an address that is not followed")
            }
            guard follows(response, target) else { return (response, url) }
            url = target
        }
        throw HubError.protocolBreach(
            url: HubURL.shown(request.url), problem: "redirects more than 10 times")
    }

    /// What an answer that is no success means.
    func refusal(_ response: HTTPResponse, url: String, revision: String, file: String?) -> HubError
    {
        let hasToken = token != nil
        let shown = HubURL.shown(endpoint)
        let message = response.headers["x-error-message"].map {
            String($0.filter { $0 >= " " && $0 != "\u{7f}" }.prefix(200))
        }
        switch (response.status, response.headers["x-error-code"]) {
        case (_, "RevisionNotFound"):
            return .revisionNotFound(repository, revision: revision)
        case (_, "EntryNotFound"):
            return .fileNotFound(repository, file: file ?? "", commit: revision)
        case (_, "GatedRepo"):
            return .gated(repository, endpoint: shown, hasToken: hasToken)
        case (_, "RepoNotFound"):
            return .repositoryNotFound(repository, endpoint: shown, hasToken: hasToken)
        case _ where message == "Access to this resource is disabled.":
            return .disabled(repository)
        case (401, _) where hasToken && message == "Invalid credentials in Authorization header":
            return .unauthorized(endpoint: shown)
        case (401, _):
            // The hub says 401 for what does not exist, too, so that nobody learns what does.
            return .repositoryNotFound(repository, endpoint: shown, hasToken: hasToken)
        case (404, _):
            if let file { return .fileNotFound(repository, file: file, commit: revision) }
            return .repositoryNotFound(repository, endpoint: shown, hasToken: hasToken)
        default:
            return .response(url: HubURL.shown(url), status: response.status, message: message)
        }
    }
}

/// The waits between attempts.
struct RetryPauses {
    private let client: HubClient
    private let what: String
    private let limit: Int
    private let connectLimit: Int
    private(set) var failures = 0

    init(_ client: HubClient, what: String, isPatient: Bool) {
        self.client = client
        self.what = what
        let count = client.configuration.retries.count
        limit = isPatient ? count : min(2, count)
        connectLimit = isPatient ? client.configuration.retries.connectCount : 0
    }

    /// What came in between was a success.
    mutating func reset() { failures = 0 }

    mutating func wait(for failure: TransferFailure) throws -> Bool {
        switch failure.kind {
        case .permanent:
            failures += 1
            return false
        case .connect where failures >= connectLimit:
            failures += 1
            return false
        case .connect, .interrupted:
            return try wait(for: failure.problem, retryAfter: nil)
        }
    }

    /// Waits before the next attempt; false when there is none.
    mutating func wait(for problem: String, retryAfter: Double?) throws -> Bool {
        failures += 1
        let retries = client.configuration.retries
        guard failures <= limit else { return false }
        let doubled = retries.pause * Double(1 << min(failures - 1, 16))
        var pause = min(doubled, retries.longestPause) * Double.random(in: 0.75...1.25)
        if let retryAfter {
            guard retryAfter <= retries.longestRetryAfter else { return false }
            pause = max(retryAfter, pause)
        }
        let tenths = Int(min(pause, 1e6) * 10)
        client.report(
            .note("hub: \(what): \(problem); trying again in \(tenths / 10).\(tenths % 10) s"))
        var rest = pause
        while rest > 0 {
            if client.isCancelled() { throw HubError.cancelled }
            usleep(UInt32(min(rest, 0.05) * 1e6))
            rest -= 0.05
        }
        return true
    }
}
