// Packs and unpacks pages, by the system's libraries.

import CBrotli
import CLZ4
import CSnappy
import CZlib
import CZstd

extension Codec {
    /// Writes the unpacked bytes, which must be exactly as many as `output` holds.
    func unpack(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(Malformed) {
        if output.isEmpty { return }
        guard let source = input.baseAddress, let target = output.baseAddress else {
            throw .truncated
        }
        let isWhole: Bool
        switch self {
        case .uncompressed:
            isWhole = input.count == output.count
            if isWhole { output.copyMemory(from: input) }
        case .snappy:
            var length = 0
            isWhole =
                snappy_uncompressed_length(source, input.count, &length) == SNAPPY_OK
                && length == output.count
                && snappy_uncompress(source, input.count, target, &length) == SNAPPY_OK
                && length == output.count
        case .gzip: isWhole = inflate(input, output)
        case .brotli:
            var length = output.count
            isWhole =
                BrotliDecoderDecompress(input.count, source, &length, target)
                == BROTLI_DECODER_RESULT_SUCCESS && length == output.count
        case .zstd:
            isWhole = ZSTD_decompress(target, output.count, source, input.count) == output.count
        case .lz4: isWhole = unpackHadoop(input, output) || unpackLZ4(input, output)
        case .lz4Raw: isWhole = unpackLZ4(input, output)
        case .lzo:
            throw .unsupported(
                "LZO compression is not supported", "write the file with snappy or zstd")
        }
        guard isWhole else {
            throw .damaged("the page does not unpack to \(output.count) bytes with \(self)")
        }
    }
}

extension Codec {
    /// The packed bytes, by those codecs that ``ParquetWriter`` offers.
    func pack(_ input: [UInt8]) throws(Malformed) -> [UInt8] {
        switch self {
        case .uncompressed: return input
        case .snappy:
            var length = snappy_max_compressed_length(input.count)
            return try packed(length) { target, size in
                length = size
                let status = input.withUnsafeBytes {
                    snappy_compress($0.baseAddress, input.count, target.baseAddress, &length)
                }
                return status == SNAPPY_OK ? length : nil
            }
        case .zstd:
            return try packed(ZSTD_compressBound(input.count)) { target, size in
                let length = input.withUnsafeBytes {
                    ZSTD_compress(target.baseAddress, size, $0.baseAddress, input.count, 1)
                }
                return ZSTD_isError(length) == 0 ? length : nil
            }
        case .gzip: return try deflate(input)
        case .lzo, .brotli, .lz4, .lz4Raw:
            throw .unsupported("pages can't be packed with \(self)", "choose snappy or zstd")
        }
    }

    private func packed(
        _ bound: Int, _ body: (UnsafeMutableRawBufferPointer, Int) -> Int?
    ) throws(Malformed) -> [UInt8] {
        var isWhole = true
        let bytes = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            let length = body(UnsafeMutableRawBufferPointer(buffer), bound)
            isWhole = length != nil
            count = length ?? 0
        }
        guard isWhole else { throw Malformed("a page can't be packed with \(self)") }
        return bytes
    }

    private func deflate(_ input: [UInt8]) throws(Malformed) -> [UInt8] {
        var stream = z_stream()
        // 16: with gzip's header and checksum.
        guard
            deflateInit2_(
                &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY,
                ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK,
            let size = UInt32(exactly: input.count)
        else { throw Malformed("a page of \(input.count) bytes can't be packed") }
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, UInt(input.count)))
        return try packed(bound) { target, _ in
            input.withUnsafeBytes { source in
                stream.next_in = UnsafeMutableRawPointer(mutating: source.baseAddress)?
                    .assumingMemoryBound(to: UInt8.self)
                stream.avail_in = size
                stream.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.avail_out = UInt32(clamping: target.count)
                return CZlib.deflate(&stream, Z_FINISH) == Z_STREAM_END
                    ? target.count - Int(stream.avail_out) : nil
            }
        }
    }
}

/// gzip, or zlib's own framing; several members may follow each other.
private func inflate(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
) -> Bool {
    guard let inputSize = UInt32(exactly: input.count),
        let outputSize = UInt32(exactly: output.count)
    else { return false }
    var stream = z_stream()
    // 32: the framing is found out from the first bytes.
    let window: Int32 = 15 + 32
    guard
        inflateInit2_(&stream, window, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return false }
    defer { inflateEnd(&stream) }
    stream.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?
        .assumingMemoryBound(to: UInt8.self)
    stream.avail_in = inputSize
    stream.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.avail_out = outputSize
    while true {
        guard CZlib.inflate(&stream, Z_FINISH) == Z_STREAM_END else { return false }
        if stream.avail_out == 0 { return true }
        guard stream.avail_in > 0, inflateReset(&stream) == Z_OK else { return false }
    }
}

private func unpackLZ4(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
) -> Bool {
    guard let inputSize = Int32(exactly: input.count), let outputSize = Int32(exactly: output.count)
    else { return false }
    return LZ4_decompress_safe(input.baseAddress, output.baseAddress, inputSize, outputSize)
        == outputSize
}

/// Hadoop's framing of LZ4: blocks of unpacked size, packed size (both big-endian) and data.
private func unpackHadoop(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
) -> Bool {
    var input = input
    var written = 0
    while input.count >= 8 {
        let unpacked = Int(UInt32(bigEndian: input.loadUnaligned(as: UInt32.self)))
        let packed = Int(
            UInt32(bigEndian: input.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        guard unpacked <= output.count - written, packed <= input.count - 8 else { return false }
        let block = UnsafeRawBufferPointer(rebasing: input[8..<(8 + packed)])
        let target = UnsafeMutableRawBufferPointer(
            rebasing: output[written..<(written + unpacked)])
        guard unpackLZ4(block, target) else { return false }
        written += unpacked
        input = UnsafeRawBufferPointer(rebasing: input[(8 + packed)...])
    }
    return input.isEmpty && written == output.count
}
