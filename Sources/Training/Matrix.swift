/// A dense row-major matrix of Float32: embeddings, similarities, gradients of embeddings.
///
/// Storage is one 64-byte aligned block, zero at the start, freed with the object. The pointer is
/// shared, not copied: whoever writes must be the only one to use the matrix at that time.
public final class Matrix: @unchecked Sendable {
    public let rows: Int
    public let columns: Int
    /// `rows * columns` values, row after row.
    package let storage: UnsafeMutablePointer<Float>

    /// A matrix of zeros.
    public init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
        let bytes = max(rows * columns, 1) * MemoryLayout<Float>.stride
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        storage = raw.initializeMemory(as: Float.self, repeating: 0, count: max(rows * columns, 1))
    }

    /// Copies `values` (row-major); `nil` unless their count is `rows * columns`.
    public convenience init?(rows: Int, columns: Int, values: [Float]) {
        guard values.count == rows * columns else { return nil }
        self.init(rows: rows, columns: columns)
        storage.update(from: values, count: values.count)
    }

    deinit { UnsafeMutableRawPointer(storage).deallocate() }

    public subscript(row: Int, column: Int) -> Float {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            return storage[row * columns + column]
        }
        set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            storage[row * columns + column] = newValue
        }
    }

    /// One row, copied.
    public func row(_ index: Int) -> [Float] {
        precondition(index >= 0 && index < rows)
        return Array(UnsafeBufferPointer(start: storage + index * columns, count: columns))
    }

    /// All values, row-major, copied.
    public var values: [Float] {
        Array(UnsafeBufferPointer(start: storage, count: rows * columns))
    }

    /// Start of a row.
    package func rowPointer(_ index: Int) -> UnsafeMutablePointer<Float> {
        storage + index * columns
    }
}
