// One connection to servers, by libcurl: a request out, headers and bytes in. Knows no hub.
import CCurl
import Glibc

/// The library, opened once. Unchecked: a table of functions that never changes.
private struct CurlLibrary: @unchecked Sendable {
    let table: UnsafePointer<st_curl>

    static let shared = Result<CurlLibrary, any Error> {
        let table = UnsafeMutablePointer<st_curl>.allocate(capacity: 1)
        table.initialize(to: st_curl())
        guard st_curl_open(table) else {
            table.deallocate()
            let reason = dlerror().map { String(cString: $0) } ?? "it can't be initialised"
            throw HubError.library(name: "libcurl", problem: "\(reason); install libcurl4")
        }
        return CurlLibrary(table: UnsafePointer(table))
    }
}

struct HTTPRequest {
    enum Method: String { case get = "GET", head = "HEAD" }

    var method = Method.get
    var url: String
    /// Name and value; neither may hold line breaks.
    var headers: [(name: String, value: String)] = []
    var connectTimeout = 10
    var stallTimeout = 10
}

struct HTTPResponse {
    var status = 0
    /// By lower-case name; of repeated ones the last.
    var headers: [String: String] = [:]
    /// Seconds to wait before the next request, where the server says so.
    var retryAfter: Double?

    var isSuccess: Bool { (200..<300).contains(status) }
    var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) }
}

/// No whole answer: which step failed and curl's words for it.
struct TransferFailure: Error {
    enum Kind {
        /// No connection: the name, the address, the port.
        case connect
        /// Cut or silent on the way.
        case interrupted
        /// Certificates, protocol: another attempt would fail the same way.
        case permanent
    }

    let kind: Kind
    let problem: String
}

/// A connection that is kept for the next request. Belongs to one thread.
final class CurlHandle {
    private let curl: UnsafePointer<st_curl>
    private let handle: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private let isCancelled: @Sendable () -> Bool

    init(isCancelled: @escaping @Sendable () -> Bool) throws {
        curl = try CurlLibrary.shared.get().table
        guard let handle = curl.pointee.easy_init() else {
            throw HubError.library(name: "libcurl", problem: "no handle can be made")
        }
        self.handle = handle
        self.isCancelled = isCancelled
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl.pointee.easy_cleanup(handle)
        errorText.deallocate()
    }

    /// One request, without following redirects.
    ///
    /// - receive: gets the bytes of the body in pieces, after status and headers; what it throws
    ///   ends the transfer and comes back from here.
    /// - Throws: `TransferFailure`, `HubError.cancelled`, or the error of `receive`.
    func perform(
        _ request: HTTPRequest,
        receive: @escaping (UnsafeRawBufferPointer, HTTPResponse) throws -> Void
    ) throws -> HTTPResponse {
        if isCancelled() { throw HubError.cancelled }
        curl.pointee.easy_reset(handle)
        errorText[0] = 0
        var list: UnsafeMutablePointer<curl_slist>?
        defer { curl.pointee.slist_free_all(list) }
        for header in request.headers {
            guard let longer = curl.pointee.slist_append(list, "\(header.name): \(header.value)")
            else { throw HubError.library(name: "libcurl", problem: "out of memory") }
            list = longer
        }
        let transfer = Transfer(receive: receive, isCancelled: isCancelled)
        set(request, list, transfer)
        let code = withExtendedLifetime(transfer) {
            withoutBrokenPipes { curl.pointee.easy_perform(handle) }
        }
        if let failure = transfer.failure { throw failure }
        if isCancelled() { throw HubError.cancelled }
        guard code == CURLE_OK else { throw failure(code) }
        var response = transfer.response
        if response.headers["retry-after"] != nil {
            response.retryAfter = Double(st_curl_get_offset(curl, handle, CURLINFO_RETRY_AFTER))
        }
        return response
    }

    private func set(
        _ request: HTTPRequest, _ list: UnsafeMutablePointer<curl_slist>?, _ transfer: Transfer
    ) {
        func set(_ option: CURLoption, _ value: Int) {
            st_curl_set_long(curl, handle, option, value)
        }
        func set(_ option: CURLoption, _ value: String) {
            st_curl_set_text(curl, handle, option, value)
        }
        st_curl_set_pointer(curl, handle, CURLOPT_ERRORBUFFER, errorText)
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_URL, request.url)
        set(CURLOPT_USERAGENT, "st-host")
        if request.method == .head { set(CURLOPT_NOBODY, 1) }
        st_curl_set_pointer(curl, handle, CURLOPT_HTTPHEADER, list)
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_CONNECTTIMEOUT, request.connectTimeout)
        set(CURLOPT_LOW_SPEED_LIMIT, 1)
        set(CURLOPT_LOW_SPEED_TIME, request.stallTimeout)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_NOPROGRESS, 0)
        // What curl calls back outlives the transfer: `perform` keeps it until curl is done.
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        st_curl_set_bytes(curl, handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            Transfer.of(context)?.takeHeader(bytes, size &* count) ?? 0
        }
        st_curl_set_pointer(curl, handle, CURLOPT_HEADERDATA, context)
        st_curl_set_bytes(curl, handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            Transfer.of(context)?.takeBody(bytes, size &* count) ?? 0
        }
        st_curl_set_pointer(curl, handle, CURLOPT_WRITEDATA, context)
        st_curl_set_progress(curl, handle) { context, _, _, _, _ in
            Transfer.of(context)?.isCancelled() == true ? 1 : 0
        }
        st_curl_set_pointer(curl, handle, CURLOPT_XFERINFODATA, context)
    }

    private func failure(_ code: CURLcode) -> TransferFailure {
        let detail = String(cString: errorText)
        let problem =
            detail.isEmpty
            ? curl.pointee.easy_strerror(code).map { String(cString: $0) }
                ?? "error \(code.rawValue)"
            : detail
        let kind: TransferFailure.Kind =
            switch code {
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT:
                .connect
            case CURLE_OPERATION_TIMEDOUT:
                st_curl_get_offset(curl, handle, CURLINFO_CONNECT_TIME_T) == 0
                    ? .connect : .interrupted
            case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_PEER_FAILED_VERIFICATION,
                CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CONNECT_ERROR, CURLE_OUT_OF_MEMORY:
                .permanent
            default: .interrupted
            }
        return TransferFailure(kind: kind, problem: problem)
    }
}

/// Keeps a connection that the other side closed from ending the process: OpenSSL writes to it
/// without a flag against SIGPIPE.
private func withoutBrokenPipes<R>(_ body: () -> R) -> R {
    var pipe = sigset_t()
    var before = sigset_t()
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &pipe, &before)
    let result = body()
    var none = timespec()
    while sigtimedwait(&pipe, nil, &none) == SIGPIPE {}
    pthread_sigmask(SIG_SETMASK, &before, nil)
    return result
}

/// What one transfer collects, in curl's callbacks.
private final class Transfer {
    var response = HTTPResponse()
    var failure: (any Error)?
    let isCancelled: @Sendable () -> Bool
    private let receive: (UnsafeRawBufferPointer, HTTPResponse) throws -> Void
    private var headerBytes = 0

    /// More than any server sends: a response without end must not fill the memory.
    private static let longestHeaders = 1 << 20

    init(
        receive: @escaping (UnsafeRawBufferPointer, HTTPResponse) throws -> Void,
        isCancelled: @escaping @Sendable () -> Bool
    ) {
        self.receive = receive
        self.isCancelled = isCancelled
    }

    static func of(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// A status line begins anew: answers such as "100 Continue" come before the one that counts.
    func takeHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        let line = String(
            decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
        headerBytes += count
        guard headerBytes <= Self.longestHeaders else { return 0 }
        if line.hasPrefix("HTTP/") {
            response = HTTPResponse()
            let words = line.split(separator: " ", maxSplits: 2)
            response.status = words.count > 1 ? Int(words[1].prefix(3)) ?? 0 : 0
        } else if let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) {
            let value = line[line.utf8.index(after: colon)...]
                .drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
            response.headers[line[..<colon].lowercased()] = String(value)
        }
        return count
    }

    func takeBody(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        do {
            try receive(UnsafeRawBufferPointer(start: bytes, count: count), response)
            return count
        } catch {
            failure = error
            return 0
        }
    }
}
