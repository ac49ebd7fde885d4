// Operations number by number: functions of one matrix, arithmetic of two, choices.

import Glibc

// MARK: One matrix

extension DifferentiableMatrix {
    private var count: Int { rows * columns }

    @inline(__always)
    private func unary<F: UnaryFunction>(
        _ operation: String, _ function: F
    ) throws -> DifferentiableMatrix {
        let out = Matrix(rows: rows, columns: columns)
        applyUnary(function, value.storage, count, into: out.storage)
        return try .result(operation, [self], out) { [self] dOut in
            accumulate {
                applyUnaryBackward(
                    function, value.storage, out.storage, dOut.storage, count, into: $0)
            }
        }
    }

    public func exp() throws -> DifferentiableMatrix { try unary("exp", Exponential()) }
    /// The natural logarithm: −∞ at 0, NaN below.
    public func log() throws -> DifferentiableMatrix { try unary("log", Logarithm()) }
    /// NaN below 0; the slope at 0 is infinite.
    public func sqrt() throws -> DifferentiableMatrix { try unary("sqrt", SquareRoot()) }
    public func abs() throws -> DifferentiableMatrix { try unary("abs", Magnitude()) }
    public func relu() throws -> DifferentiableMatrix { try unary("relu", Rectifier()) }
    public func tanh() throws -> DifferentiableMatrix { try unary("tanh", HyperbolicTangent()) }
    public func sigmoid() throws -> DifferentiableMatrix { try unary("sigmoid", LogisticSigmoid()) }
    /// log(1 + e^x).
    public func softplus() throws -> DifferentiableMatrix { try unary("softplus", Softplus()) }
    public func negated() throws -> DifferentiableMatrix {
        try unary("neg", Affine(scale: -1, offset: 0))
    }

    /// Numbers below `lower` become `lower`, above `upper` `upper`; the gradient of both is 0.
    public func clamp(
        lower: Double = -.infinity, upper: Double = .infinity
    ) throws -> DifferentiableMatrix {
        try unary("clamp", Clamp(lower: Float(lower), upper: Float(upper)))
    }

    /// x to a constant power.
    public func pow(_ exponent: Double) throws -> DifferentiableMatrix {
        switch exponent {
        case 1: return try unary("pow", Affine(scale: 1, offset: 0))
        case 2: return try unary("pow", Square())
        case 0.5: return try unary("pow", SquareRoot())
        case -1: return try DifferentiableMatrix(1).div(self)
        default: break
        }
        let out = Matrix(rows: rows, columns: columns)
        let power = Float(exponent)
        for index in 0..<count { out.storage[index] = powf(value.storage[index], power) }
        return try .result("pow", [self], out) { [self] dOut in
            guard power != 0 else { return accumulate { _ in } }
            accumulate { dX in
                for index in 0..<count {
                    let slope = power * powf(value.storage[index], power - 1)
                    dX[index] += slope * dOut.storage[index]
                }
            }
        }
    }

    /// scale · x + offset, for constants.
    func affine(
        _ operation: String, scale: Double, offset: Double
    ) throws -> DifferentiableMatrix {
        try unary(operation, Affine(scale: Float(scale), offset: Float(offset)))
    }
}

// MARK: Two matrices

extension DifferentiableMatrix {
    /// The common shape of operands whose sides are equal or 1.
    private static func shape(
        _ operation: String, _ operands: [DifferentiableMatrix]
    ) throws -> (rows: Int, columns: Int) {
        var rows = 1
        var columns = 1
        for operand in operands {
            if operand.rows != 1 { rows = operand.rows }
            if operand.columns != 1 { columns = operand.columns }
        }
        for operand in operands
        where operand.rows != 1 && operand.rows != rows
            || operand.columns != 1 && operand.columns != columns
        {
            let shapes = operands.map(\.shapeText).joined(separator: " and ")
            throw TrainingError.data(
                problem: "\(operation): \(shapes) do not fit each other",
                hint: "rows and columns must be equal, or 1 on one side")
        }
        return (rows, columns)
    }

    @inline(__always)
    private static func binary<F: BinaryFunction>(
        _ operation: String, _ function: F, _ a: DifferentiableMatrix, _ b: DifferentiableMatrix
    ) throws -> DifferentiableMatrix {
        let (rows, columns) = try shape(operation, [a, b])
        let out = try Matrix.sized(rows, columns, for: operation)
        applyBinary(function, a.value, b.value, into: out)
        return try result(operation, [a, b], out) { dOut in
            func add(dA: Floats?, dB: Floats?) {
                applyBinaryBackward(function, a.value, b.value, out, dOut, dA: dA, dB: dB)
            }
            // The same matrix twice has one gradient, so both sides can't be open at once.
            a.accumulate { dA in add(dA: dA, dB: nil) }
            b.accumulate { dB in add(dA: nil, dB: dB) }
        }
    }

    public func add(_ other: DifferentiableMatrix) throws -> DifferentiableMatrix {
        if other.isConstantNumber, let number = other.number {
            return try affine("add", scale: 1, offset: number)
        }
        return try Self.binary("add", Sum(), self, other)
    }

    public func sub(_ other: DifferentiableMatrix) throws -> DifferentiableMatrix {
        if other.isConstantNumber, let number = other.number {
            return try affine("sub", scale: 1, offset: -number)
        }
        return try Self.binary("sub", Difference(), self, other)
    }

    public func mul(_ other: DifferentiableMatrix) throws -> DifferentiableMatrix {
        if other.isConstantNumber, let number = other.number {
            return try affine("mul", scale: number, offset: 0)
        }
        return try Self.binary("mul", Product(), self, other)
    }

    public func div(_ other: DifferentiableMatrix) throws -> DifferentiableMatrix {
        try Self.binary("div", Quotient(), self, other)
    }

    public func maximum(_ other: DifferentiableMatrix) throws -> DifferentiableMatrix {
        try Self.binary("maximum", Maximum(), self, other)
    }

    public func minimum(_ other: DifferentiableMatrix) throws -> DifferentiableMatrix {
        try Self.binary("minimum", Minimum(), self, other)
    }

    /// 1 where the relation holds, else 0: a constant of the same step.
    public func compare(
        _ comparison: Comparison, _ other: DifferentiableMatrix
    ) throws -> DifferentiableMatrix {
        let name = comparison.rawValue
        let (rows, columns) = try Self.shape(name, [self, other])
        let out = try Matrix.sized(rows, columns, for: name)
        applyBinary(Compared(comparison: comparison), value, other.value, into: out)
        return DifferentiableMatrix(value: out, tape: tape ?? other.tape, isTracked: false)
    }

    private var isConstantNumber: Bool { tape == nil && rows == 1 && columns == 1 }
}

// MARK: Choices

extension DifferentiableMatrix {
    /// `a` where `mask` is not 0, `b` elsewhere; all three are repeated to one shape.
    public static func `where`(
        _ mask: DifferentiableMatrix, _ a: DifferentiableMatrix, _ b: DifferentiableMatrix
    ) throws -> DifferentiableMatrix {
        let (rows, columns) = try shape("where", [mask, a, b])
        let out = try Matrix.sized(rows, columns, for: "where")
        let operands = [mask, a, b].map { Repeated($0.value, to: columns) }
        for row in 0..<rows {
            let lines = operands.map { $0.row(row) }
            let target = out.rowPointer(row)
            var index = 0
            while index < columns {
                let chosen = operands[0].lanes(lines[0], index, columns)
                let value = operands[2].lanes(lines[2], index, columns).replacing(
                    with: operands[1].lanes(lines[1], index, columns), where: chosen .!= 0)
                store(target, index, columns, value)
                index &+= laneCount
            }
        }
        return try result("where", [mask, a, b], out) { dOut in
            for (operand, isChosen) in [(a, true), (b, false)] where operand.isTracked {
                let part = Matrix(rows: rows, columns: columns)
                applyBinary(Kept(isKeptWhereTrue: isChosen), dOut, mask.value, into: part)
                operand.accumulate {
                    // A sum passes its gradient on as it is, summed where operands were repeated.
                    applyBinaryBackward(Sum(), operand.value, part, part, part, dA: $0, dB: nil)
                }
            }
        }
    }

    /// `number` where `mask` is not 0.
    public func maskedFill(
        _ mask: DifferentiableMatrix, _ number: Double
    ) throws -> DifferentiableMatrix {
        try Self.where(mask, DifferentiableMatrix(number), self)
    }
}
