import CCrypto
import Glibc

/// OpenSSL's digests, opened once. Unchecked: a table of functions that never changes.
private struct CryptoLibrary: @unchecked Sendable {
    let table: UnsafePointer<st_crypto>

    static let shared = Result<CryptoLibrary, any Error> {
        let table = UnsafeMutablePointer<st_crypto>.allocate(capacity: 1)
        table.initialize(to: st_crypto())
        guard st_crypto_open(table) else {
            table.deallocate()
            let reason = dlerror().map { String(cString: $0) } ?? "a function is missing"
            throw HubError.library(name: "libcrypto", problem: "\(reason); install libssl3")
        }
        return CryptoLibrary(table: UnsafePointer(table))
    }
}

/// The digest of a file, made piece by piece.
final class Digest {
    enum Algorithm: String { case sha1 = "SHA1", sha256 = "SHA256" }

    private let crypto: UnsafePointer<st_crypto>
    private let context: OpaquePointer

    init(_ algorithm: Algorithm) throws {
        crypto = try CryptoLibrary.shared.get().table
        guard let context = crypto.pointee.context_new(),
            crypto.pointee.`init`(context, crypto.pointee.digest_by_name(algorithm.rawValue), nil)
                == 1
        else {
            throw HubError.library(name: "libcrypto", problem: "has no \(algorithm.rawValue)")
        }
        self.context = context
    }

    deinit { crypto.pointee.context_free(context) }

    func update(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        _ = crypto.pointee.update(context, bytes.baseAddress, bytes.count)
    }

    /// Hexadecimal, lower case.
    func finish() -> String {
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        _ = crypto.pointee.final(context, &bytes, &count)
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.prefix(Int(count)).flatMap {
                [digits[Int($0 >> 4)], digits[Int($0 & 15)]]
            },
            as: UTF8.self)
    }
}

/// How a file proves to be the right one: by the name that the hub gives to its content.
enum ContentCheck: Equatable {
    /// LFS and Xet files.
    case sha256(String)
    /// Files in git itself: SHA-1 over "blob SIZE\0" and the content.
    case gitBlob(String)
    /// The etag is no digest.
    case sizeAlone

    init(etag: String) {
        switch etag.utf8.count {
        case 64 where HubName.isHexadecimal(etag): self = .sha256(etag)
        case 40 where HubName.isHexadecimal(etag): self = .gitBlob(etag)
        default: self = .sizeAlone
        }
    }

    /// What is wrong with the file, or nil when it is right.
    func problem(descriptor: Int32, size: Int) throws -> String? {
        let digest: Digest
        let expected: String
        switch self {
        case .sizeAlone: return nil
        case .sha256(let value):
            digest = try Digest(.sha256)
            expected = value
        case .gitBlob(let value):
            digest = try Digest(.sha1)
            expected = value
            Array("blob \(size)\0".utf8).withUnsafeBytes { digest.update($0) }
        }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset = 0
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(offset))
            if count < 0 {
                if errno == EINTR { continue }
                return "can't be read back: \(String(cString: strerror(errno)))"
            }
            if count == 0 { break }
            buffer.withUnsafeBytes { digest.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            offset += count
        }
        let found = digest.finish()
        return found == expected
            ? nil
            : "the received bytes have the digest \(found.prefix(12))…, not \(expected.prefix(12))…"
    }
}
