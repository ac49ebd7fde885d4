/// The L2 norm over all gradients, and the factor that brings it down to a maximum.
///
///     total = ‖(‖g₁‖, ‖g₂‖, ...)‖        coefficient = min(1, maximum / (total + 1e-6))
///
/// Parameters without a gradient buffer are left out; untouched rows of embedding tables are zero
/// and are not read. Sums of squares run in double, tensor by tensor in the given order: the result
/// does not depend on the number of threads. Source: torch.nn.utils.clip_grad_norm_.
/// Checked by `AdamWTests`.
public struct GradientNorm: Sendable {
    public let total: Double

    /// - pool: shares the tensors out.
    package init(_ parameters: [Parameter], pool: WorkerPool? = nil) {
        let squares = UnsafeMutablePointer<Double>.allocate(capacity: max(parameters.count, 1))
        defer { squares.deallocate() }
        if let pool {
            pool.run(parameters.count) { task, _ in squares[task] = Self.squares(parameters[task]) }
        } else {
            for index in parameters.indices { squares[index] = Self.squares(parameters[index]) }
        }
        total = parameters.indices.reduce(0.0) { $0 + squares[$1] }.squareRoot()
    }

    private static func squares(_ parameter: Parameter) -> Double {
        guard let gradient = parameter.gradient else { return 0 }
        guard let rows = parameter.touchedRows, parameter.shape.count == 2 else {
            return sumOfSquares(gradient, parameter.count)
        }
        let columns = parameter.shape[1]
        return rows.reduce(0.0) { $0 + sumOfSquares(gradient + Int($1) * columns, columns) }
    }

    /// 1 when the norm is within `maximum`, or when clipping is switched off (`maximum` ≤ 0).
    public func coefficient(maximum: Double) -> Float {
        guard maximum > 0 else { return 1 }
        return min(1, Float(maximum) / (Float(total) + 1e-6))
    }
}

/// Σ x², in blocks short enough for float32 partial sums, added up in double.
private func sumOfSquares(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
    var total = 0.0
    var start = 0
    while start < count {
        let length = min(4096, count - start)
        total += Double(rowDot(x + start, x + start, length))
        start += length
    }
    return total
}
