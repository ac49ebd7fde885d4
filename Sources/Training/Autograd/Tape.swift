// Reverse-mode differentiation: what a loss computes is noted step by step, then walked backwards.
// Values are DifferentiableMatrix; the operations are its extensions in this folder. Used by
// CustomLoss. Nothing here knows models or scripts.

/// The record of one computation, from the matrices it starts with to the scalar it ends in.
///
/// One tape serves one batch and one thread. ``finish()`` ends its life: matrices of a finished tape
/// keep their values, but nothing more can be computed from them by accident.
public final class Tape: @unchecked Sendable {
    /// False in evaluation: values are computed, nothing is noted.
    public let isRecording: Bool
    /// Where the caller is ("loss.lua:12"); asked at every operation, shown when one of them turns
    /// out to be the first without a finite value.
    public let place: (@Sendable () -> String?)?
    public private(set) var isFinished = false
    private var steps: [Step] = []

    private struct Step {
        let operation: String
        let place: String?
        let output: DifferentiableMatrix
        /// Adds to the gradients of the inputs, given that of the output.
        let backward: (_ dOut: Matrix) -> Void
    }

    public init(isRecording: Bool = true, place: (@Sendable () -> String?)? = nil) {
        self.isRecording = isRecording
        self.place = place
    }

    /// A matrix to differentiate with respect to.
    public func variable(_ value: Matrix) -> DifferentiableMatrix {
        DifferentiableMatrix(value: value, tape: self, isTracked: isRecording)
    }

    /// Lets go of everything noted. Matrices of this tape can't be used in operations any more.
    public func finish() {
        isFinished = true
        steps = []
    }

    /// Gradients of `result`, one number, with respect to every matrix it was computed from; read
    /// them from ``DifferentiableMatrix/gradient``.
    ///
    /// - Throws: `TrainingError.data` when `result` is not 1x1 or was computed without any variable
    ///   of this tape.
    public func backward(from result: DifferentiableMatrix) throws {
        guard result.rows == 1, result.columns == 1 else {
            throw TrainingError.data(
                problem: "backward: expected one number, got \(result.shapeText)",
                hint: "end with sum() or mean()")
        }
        guard result.tape === self, result.isTracked else {
            throw TrainingError.data(
                problem: "backward: the number does not depend on the matrices it should be"
                    + " differentiated by")
        }
        result.gradient = Matrix(rows: 1, columns: 1)
        result.gradient?.storage[0] = 1
        walkBack { _, _ in true }
    }

    /// Calls every step's backward, last to first, for as long as `body` says so.
    private func walkBack(_ body: (Step, Matrix) -> Bool) {
        for step in steps.reversed() {
            guard let gradient = step.output.gradient else { continue }
            guard body(step, gradient) else { return }
            step.backward(gradient)
        }
    }

    /// The first operation whose result is not finite, as "'log' at loss.lua:14": NaN before
    /// infinity, because masks may hold −∞ on purpose.
    public func firstBrokenValue() -> String? {
        let broken =
            steps.first { step in step.output.value.contains(where: \.isNaN) }
            ?? steps.first { step in step.output.value.contains { !$0.isFinite } }
        return broken.map(Self.describe)
    }

    /// The operation whose backward pass was the first to give a gradient that is not finite.
    /// Repeats the backward pass, so it is for error messages only.
    public func firstBrokenGradient(from result: DifferentiableMatrix) -> String? {
        for step in steps { step.output.gradient = nil }
        result.gradient = Matrix(rows: 1, columns: 1)
        result.gradient?.storage[0] = 1
        var last: Step?
        var found: Step?
        walkBack { step, gradient in
            let isBroken = gradient.contains { !$0.isFinite }
            if isBroken { found = last } else { last = step }
            return !isBroken
        }
        return (found ?? last).map(Self.describe)
    }

    private static func describe(_ step: Step) -> String {
        "'\(step.operation)'" + (step.place.map { " at \($0)" } ?? "")
    }

    fileprivate func note(
        _ operation: String, _ output: DifferentiableMatrix, _ backward: @escaping (Matrix) -> Void
    ) {
        steps.append(
            Step(operation: operation, place: place?(), output: output, backward: backward))
    }
}

extension DifferentiableMatrix {
    /// The result of an operation. `backward` gets the gradient of the result and adds to those of
    /// the inputs; it is kept only when one of them is tracked.
    ///
    /// - Throws: `TrainingError.data` when an input belongs to a finished tape, or two inputs to
    ///   different ones.
    static func result(
        _ operation: String, _ inputs: [DifferentiableMatrix], _ value: Matrix,
        _ backward: @escaping (_ dOut: Matrix) -> Void
    ) throws -> DifferentiableMatrix {
        var tape: Tape?
        for input in inputs {
            guard let other = input.tape else { continue }
            if other.isFinished || (tape.map { $0 !== other } ?? false) {
                throw TrainingError.data(
                    problem: "\(operation): a matrix of another step (\(input.shapeText)) is used",
                    hint: "matrices of a loss live for one batch; keep a copy with detach()")
            }
            tape = other
        }
        let isTracked = inputs.contains(where: \.isTracked)
        let output = DifferentiableMatrix(value: value, tape: tape, isTracked: isTracked)
        if isTracked { tape?.note(operation, output, backward) }
        return output
    }
}

extension Matrix {
    func contains(where isWanted: (Float) -> Bool) -> Bool {
        UnsafeBufferPointer(start: storage, count: rows * columns).contains(where: isWanted)
    }
}
