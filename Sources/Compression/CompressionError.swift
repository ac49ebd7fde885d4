/// Why a compressed file can't be unpacked: a clause for a message that names the file.
public struct CompressionError: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }

    static func tooLarge(_ limit: Int) -> CompressionError {
        CompressionError("unpacks to more than the \(limit >> 20) MB that are allowed for")
    }
    static let truncated = CompressionError("ends too early")
    static let memory = CompressionError("the decompressor got no memory")
}
