// START HERE: whole files packed by gzip, zstd, bzip2 or xz, unpacked by the system's libraries.
// Archives of several files are in ZipArchive.swift.
import CBzip2
import CLZMA
import CZlib
import CZstd

/// A compression that is known by the first bytes of a file.
public enum CompressedData: String, Sendable, CaseIterable {
    case gzip, zstd, bzip2, xz

    /// What a file is compressed with; nil where it is not, or unknown. Python's `datasets` decides
    /// by the first bytes, too, and not by the name.
    public init?(firstBytes bytes: some Collection<UInt8>) {
        func starts(_ magic: [UInt8]) -> Bool { bytes.starts(with: magic) }
        if starts([0x1f, 0x8b]) {
            self = .gzip
        } else if starts([0x28, 0xb5, 0x2f, 0xfd]) {
            self = .zstd
        } else if starts([0x42, 0x5a, 0x68]) {
            self = .bzip2
        } else if starts([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) {
            self = .xz
        } else {
            return nil
        }
    }

    /// All bytes, of all members or frames that follow each other.
    ///
    /// - limit: bytes that the result may have. A few kilobytes can stand for terabytes.
    public func unpack(_ bytes: [UInt8], limit: Int) throws(CompressionError) -> [UInt8] {
        let result = bytes.withUnsafeBufferPointer { input in
            Result { () throws(CompressionError) in
                var output = Output(limit: limit)
                switch self {
                case .gzip: try unpackGzip(input, &output)
                case .zstd: try unpackZstd(input, &output)
                case .bzip2: try unpackBzip2(input, &output)
                case .xz: try unpackXZ(input, &output)
                }
                return output.bytes
            }
        }
        return try result.get()
    }
}

/// Bytes that have been unpacked, and a buffer for the next ones.
private struct Output {
    private(set) var bytes: [UInt8] = []
    let limit: Int
    let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Output.size)

    static let size = 1 << 18

    init(limit: Int) { self.limit = limit }

    /// Takes the first `count` bytes of the buffer.
    mutating func take(_ count: Int) throws(CompressionError) {
        guard bytes.count + count <= limit else { throw .tooLarge(limit) }
        bytes.append(contentsOf: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
    }
}

/// The libraries count their input in 32 bits: at most so much is handed over at once.
private let largestPiece = 1 << 30

private func damaged(_ what: String) -> CompressionError {
    CompressionError("is damaged (\(what))")
}

private func unpackGzip(
    _ input: UnsafeBufferPointer<UInt8>, _ output: inout Output
) throws(CompressionError) {
    defer { output.buffer.deallocate() }
    var stream = z_stream()
    guard
        inflateInit2_(
            &stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw .memory }
    defer { inflateEnd(&stream) }
    var offset = 0
    while true {
        let piece = min(input.count - offset, largestPiece)
        stream.next_in = input.baseAddress.map { UnsafeMutablePointer(mutating: $0 + offset) }
        stream.avail_in = UInt32(piece)
        stream.next_out = output.buffer.baseAddress
        stream.avail_out = UInt32(Output.size)
        let status = inflate(&stream, Z_NO_FLUSH)
        offset += piece - Int(stream.avail_in)
        let count = Output.size - Int(stream.avail_out)
        try output.take(count)
        switch status {
        case Z_STREAM_END:
            // Zeros may fill the last block of a tape; gzip itself passes over what follows.
            let rest = input[offset...]
            guard rest.starts(with: [0x1f, 0x8b]) else { return }
            guard inflateReset(&stream) == Z_OK else { throw .memory }
        case Z_OK: break
        case Z_BUF_ERROR where count == 0 && offset == input.count: throw .truncated
        case Z_BUF_ERROR: break
        case Z_MEM_ERROR: throw .memory
        default: throw damaged(stream.msg.map { String(cString: $0) } ?? "gzip error \(status)")
        }
    }
}

private func unpackZstd(
    _ input: UnsafeBufferPointer<UInt8>, _ output: inout Output
) throws(CompressionError) {
    defer { output.buffer.deallocate() }
    guard let stream = ZSTD_createDStream() else { throw .memory }
    defer { ZSTD_freeDStream(stream) }
    // Windows up to 2 GB, as Python's zstandard and `zstd --long=31` allow; memory follows the data.
    ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, 31)
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    while true {
        var target = ZSTD_outBuffer(dst: output.buffer.baseAddress, size: Output.size, pos: 0)
        let status = ZSTD_decompressStream(stream, &target, &source)
        if ZSTD_isError(status) != 0 {
            throw damaged(String(cString: ZSTD_getErrorName(status)))
        }
        try output.take(target.pos)
        if source.pos == source.size, target.pos < target.size {
            if status != 0 { throw .truncated }
            return
        }
    }
}

private func unpackBzip2(
    _ input: UnsafeBufferPointer<UInt8>, _ output: inout Output
) throws(CompressionError) {
    defer { output.buffer.deallocate() }
    var offset = 0
    repeat {
        var stream = bz_stream()
        guard BZ2_bzDecompressInit(&stream, 0, 0) == BZ_OK else { throw .memory }
        defer { BZ2_bzDecompressEnd(&stream) }
        var status = BZ_OK
        while status != BZ_STREAM_END {
            let piece = min(input.count - offset, largestPiece)
            stream.next_in = UnsafeMutableRawPointer(
                mutating: UnsafeRawPointer(input.baseAddress.map { $0 + offset }))?
                .assumingMemoryBound(to: CChar.self)
            stream.avail_in = UInt32(piece)
            stream.next_out = UnsafeMutableRawPointer(output.buffer.baseAddress)?
                .assumingMemoryBound(to: CChar.self)
            stream.avail_out = UInt32(Output.size)
            status = BZ2_bzDecompress(&stream)
            offset += piece - Int(stream.avail_in)
            let count = Output.size - Int(stream.avail_out)
            try output.take(count)
            switch status {
            case BZ_STREAM_END: break
            case BZ_OK: if count == 0, offset == input.count { throw .truncated }
            case BZ_MEM_ERROR: throw .memory
            default: throw damaged("bzip2 error \(status)")
            }
        }
    } while input[offset...].starts(with: [0x42, 0x5a, 0x68])
}

private func unpackXZ(
    _ input: UnsafeBufferPointer<UInt8>, _ output: inout Output
) throws(CompressionError) {
    defer { output.buffer.deallocate() }
    var stream = st_lzma_stream()
    // The dictionary of `xz -9` takes 65 MB.
    guard
        lzma_stream_decoder(&stream, 1 << 31, st_lzma_concatenated()) == LZMA_OK
    else { throw .memory }
    defer { lzma_end(&stream) }
    stream.next_in = input.baseAddress
    stream.avail_in = input.count
    while true {
        stream.next_out = output.buffer.baseAddress
        stream.avail_out = Output.size
        let status = lzma_code(&stream, LZMA_FINISH)
        try output.take(Output.size - stream.avail_out)
        switch status {
        case LZMA_STREAM_END: return
        case LZMA_OK: break
        case LZMA_BUF_ERROR: throw .truncated
        case LZMA_MEM_ERROR, LZMA_MEMLIMIT_ERROR: throw .memory
        default: throw damaged("xz error \(status.rawValue)")
        }
    }
}
