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

    package init(_ parameters: [Parameter]) {
        var squares = 0.0
        for parameter in parameters {
            guard let gradient = parameter.gradient else { continue }
            if let rows = parameter.touchedRows, parameter.shape.count == 2 {
                let columns = parameter.shape[1]
                for row in rows { squares += sumOfSquares(gradient + Int(row) * columns, columns) }
            } else {
                squares += sumOfSquares(gradient, parameter.count)
            }
        }
        total = squares.squareRoot()
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
