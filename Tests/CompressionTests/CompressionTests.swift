// Files that Python and the command line programs have packed, and damaged ones.
import Compression
import Foundation
import TestSupport
import Testing

@Suite
struct CompressionTests {
    private static let text = (0..<20_000).map { "line \($0) of \($0 % 7)\n" }.joined()

    /// The text packed by Python's standard library, twice in a row: two members or streams.
    private func packed(_ kind: String) throws -> [UInt8] {
        let work = try TemporaryFolder()
        defer { work.remove() }
        try Self.text.write(
            to: work.url.appending(path: "text"), atomically: true, encoding: .utf8)
        let script = """
            import bz2, gzip, lzma, sys
            data = open("text", "rb").read()
            pack = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}[sys.argv[1]]
            open("out", "wb").write(pack(data[:1000]) + pack(data[1000:]))
            """
        let python = Subprocess(
            URL(filePath: "/usr/bin/env"), ["python3", "-c", script, kind], in: work.url)
        let outcome = try python.run()
        try #require(outcome.status == 0, "\(outcome.errors)")
        return Array(try Data(contentsOf: work.url.appending(path: "out")))
    }

    /// "hello hello hello hello" and, as a frame of its own, "!", by pyarrow's zstd.
    private static let zstd: [UInt8] = [
        0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x17, 0x65, 0x00, 0x00, 0x30, 0x68, 0x65, 0x6c, 0x6c, 0x6f,
        0x20, 0x01, 0x00, 0x99, 0x4b, 0x11, 0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x01, 0x09, 0x00, 0x00,
        0x21,
    ]

    @Test func `zstd frames are unpacked, damaged ones refused`() throws {
        #expect(CompressedData(firstBytes: Self.zstd) == .zstd)
        let text = Array("hello hello hello hello!".utf8)
        #expect(try CompressedData.zstd.unpack(Self.zstd, limit: 24) == text)
        #expect(throws: CompressionError.self) {
            _ = try CompressedData.zstd.unpack(Self.zstd, limit: 23)
        }
        for length in [6, 15, 27] {
            #expect(throws: CompressionError.self) {
                _ = try CompressedData.zstd.unpack(Array(Self.zstd[..<length]), limit: 1000)
            }
        }
    }

    @Test(arguments: ["gzip", "bzip2", "xz"])
    func `what Python packs is unpacked, all members of it`(kind: String) throws {
        let bytes = try packed(kind)
        #expect(CompressedData(firstBytes: bytes)?.rawValue == kind)
        let format = try #require(CompressedData(rawValue: kind))
        #expect(try format.unpack(bytes, limit: 1 << 30) == Array(Self.text.utf8))
    }

    @Test(arguments: ["gzip", "bzip2", "xz"])
    func `a file that ends too early is refused`(kind: String) throws {
        let bytes = try packed(kind)
        let format = try #require(CompressedData(rawValue: kind))
        for length in [12, bytes.count / 2, bytes.count - 1] {
            #expect(throws: CompressionError.self) {
                _ = try format.unpack(Array(bytes[..<length]), limit: 1 << 30)
            }
        }
    }

    @Test(arguments: ["gzip", "bzip2", "xz"])
    func `a wrong byte is noticed`(kind: String) throws {
        var bytes = try packed(kind)
        let format = try #require(CompressedData(rawValue: kind))
        bytes[bytes.count / 2] ^= 0x10
        #expect(throws: CompressionError.self) { _ = try format.unpack(bytes, limit: 1 << 30) }
    }

    @Test(arguments: ["gzip", "bzip2", "xz"])
    func `more than the limit is refused`(kind: String) throws {
        let bytes = try packed(kind)
        let format = try #require(CompressedData(rawValue: kind))
        let error = try #require(throws: CompressionError.self) {
            _ = try format.unpack(bytes, limit: 100_000)
        }
        #expect("\(error)" == "unpacks to more than the 0 MB that are allowed for")
    }

    @Test func `random bytes behind a known start end in an error, not in a crash`() throws {
        var generator = SystemRandomNumberGenerator()
        let starts: [[UInt8]] = [
            [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], [0x28, 0xb5, 0x2f, 0xfd],
            [0x42, 0x5a, 0x68, 0x39],
            [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
        ]
        for start in starts {
            let format = try #require(CompressedData(firstBytes: start))
            for _ in 0..<500 {
                let length = Int.random(in: 0..<200, using: &generator)
                let bytes = start + (0..<length).map { _ in UInt8.random(in: 0...255) }
                _ = try? format.unpack(bytes, limit: 1 << 24)
            }
        }
    }

    // MARK: zip

    private func archive(_ work: TemporaryFolder) throws -> String {
        let script = """
            import zipfile
            with zipfile.ZipFile("a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("b/train.csv", "a,b\\n1,2\\n")
                archive.writestr("b/", "")
                archive.writestr("large.txt", "x" * 300000)
                archive.writestr("../../evil.csv", "a\\n")
            """
        let python = Subprocess(
            URL(filePath: "/usr/bin/env"), ["python3", "-c", script], in: work.url)
        let outcome = try python.run()
        try #require(outcome.status == 0, "\(outcome.errors)")
        return work.url.appending(path: "a.zip").path
    }

    @Test func `the files of a zip archive`() throws {
        let work = try TemporaryFolder()
        defer { work.remove() }
        let archive = try ZipArchive(path: archive(work))
        #expect(try archive.names() == ["b/train.csv", "large.txt", "../../evil.csv"])
        #expect(try archive.read("b/train.csv", limit: 1000) == Array("a,b\n1,2\n".utf8))
        #expect(try archive.read("large.txt", limit: 300_000).count == 300_000)
        #expect(throws: CompressionError.self) { try archive.read("large.txt", limit: 299_999) }
        #expect(throws: CompressionError.self) { try archive.read("none", limit: 1000) }
    }

    @Test func `a damaged archive is refused`() throws {
        let work = try TemporaryFolder()
        defer { work.remove() }
        let path = try archive(work)
        var data = try Data(contentsOf: URL(filePath: path))
        // In the packed bytes of the first file, behind its header of 30 bytes and its name.
        data[43] ^= 0x55
        try data.write(to: URL(filePath: path))
        #expect(throws: CompressionError.self) {
            _ = try ZipArchive(path: path).read("b/train.csv", limit: 1000)
        }
        try data.prefix(60).write(to: URL(filePath: path))
        #expect(throws: CompressionError.self) { _ = try ZipArchive(path: path) }
    }
}
