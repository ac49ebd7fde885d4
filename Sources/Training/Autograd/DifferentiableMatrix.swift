/// A matrix that remembers how it was computed, so that gradients can be taken.
///
/// Everything is a matrix of Float32: a number is 1x1, a reduction over rows gives one row, over
/// columns one column. Operations are methods under torch's names, in the extensions of this folder;
/// operands of a different size are repeated where a side is 1, as in torch.
///
/// START HERE: `tape.variable(x)` starts, operations go on, `tape.backward(from:)` ends. A matrix
/// without a tape is a constant.
///
/// Gradients are checked against torch and by finite differences: `DifferentiableMatrixTests`.
public final class DifferentiableMatrix: @unchecked Sendable {
    public let value: Matrix
    /// The computation it belongs to; `nil` for constants.
    public let tape: Tape?
    /// Whether gradients flow through it.
    public let isTracked: Bool
    /// d result / d self after ``Tape/backward(from:)``; `nil` when the result does not depend on it.
    public internal(set) var gradient: Matrix?

    init(value: Matrix, tape: Tape?, isTracked: Bool) {
        self.value = value
        self.tape = tape
        self.isTracked = isTracked
    }

    /// A constant.
    public convenience init(_ value: Matrix) {
        self.init(value: value, tape: nil, isTracked: false)
    }

    /// A constant of one number.
    public convenience init(_ number: Double) {
        let value = Matrix(rows: 1, columns: 1)
        value.storage[0] = Float(number)
        self.init(value)
    }

    public var rows: Int { value.rows }
    public var columns: Int { value.columns }
    /// "6x384"
    public var shapeText: String { "\(rows)x\(columns)" }
    /// The only number of a 1x1 matrix.
    public var number: Double? { rows == 1 && columns == 1 ? Double(value.storage[0]) : nil }

    /// The same values without their history.
    public func detach() -> DifferentiableMatrix { DifferentiableMatrix(value) }

    /// Adds to the gradient, which is zero at first; `body` gets its storage, laid out as the value.
    func accumulate(_ body: (Floats) -> Void) {
        guard isTracked else { return }
        let target = gradient ?? Matrix(rows: rows, columns: columns)
        gradient = target
        body(target.storage)
    }
}

/// A direction to reduce or join along.
public enum Axis: Sendable {
    /// Over all rows: one row is left. Dimension 0 of torch.
    case rows
    /// Over all columns: one column is left. Dimension 1 of torch.
    case columns
}

extension Matrix {
    /// Most numbers a computed matrix may hold: 8 GiB, and what BLAS can count.
    static let largestCount = Int(Int32.max)

    /// A matrix of zeros for the result of an operation whose sizes a user chose.
    ///
    /// - Throws: `TrainingError.data` when it would be too large.
    public static func sized(
        _ rows: Int, _ columns: Int, for operation: String
    ) throws -> Matrix {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard rows >= 0, columns >= 0, !overflow, count <= largestCount else {
            throw TrainingError.data(
                problem: "\(operation): a matrix of \(rows)x\(columns) is too large",
                hint: "matrices may hold \(largestCount) numbers")
        }
        try MemoryAdmission.check(count, of: MemoryLayout<Float>.stride)
        return Matrix(rows: rows, columns: columns)
    }
}
