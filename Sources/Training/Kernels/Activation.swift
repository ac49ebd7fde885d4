// Activation functions, fused with the bias of the layer before.
import CKernels

/// The activations of feed-forward layers and of Dense modules.
package enum Activation: String, Sendable, CaseIterable {
    case identity, gelu, geluTanh, relu, tanh, sigmoid, silu

    /// `hidden_act` of a transformer's config.json.
    package init?(hiddenAct name: String) {
        switch name {
        case "gelu", "gelu_python": self = .gelu
        case "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate": self = .geluTanh
        case "relu": self = .relu
        case "silu", "swish": self = .silu
        case "tanh": self = .tanh
        case "sigmoid": self = .sigmoid
        case "linear": self = .identity
        default: return nil
        }
    }
}

/// output = f(product + bias).
///
/// - product: [rows, columns], left as it is   - bias: [columns], or nil for none
/// - output: [rows, columns], may be `product`
///
/// Checked by `ActivationTests` against double-precision references and torch.
package func activationForward(
    _ activation: Activation, rows: Int, columns: Int, bias: ConstFloats?, product: ConstFloats,
    output: Floats
) {
    switch activation {
    case .identity: forward(Identity.self, rows, columns, bias, product, output)
    case .gelu: forward(GELU.self, rows, columns, bias, product, output)
    case .geluTanh: forward(GELUTanh.self, rows, columns, bias, product, output)
    case .relu: forward(ReLU.self, rows, columns, bias, product, output)
    case .tanh: forward(Tanh.self, rows, columns, bias, product, output)
    case .sigmoid: forward(Sigmoid.self, rows, columns, bias, product, output)
    case .silu: forward(SiLU.self, rows, columns, bias, product, output)
    }
}

/// product ← f′(product + bias) ⊙ dOutput, the gradient of `product + bias`; dBias += its column
/// sums; output = f(product + bias) once more, the same bits as in the forward pass.
///
/// Keeping the product and computing both again costs one exponential an element. Keeping value
/// and slope would cost twice the memory.
///
/// - product, dOutput: [rows, columns]   - bias, dBias: [columns], or nil for a layer without
/// - output: [rows, columns], or nil where nobody needs it
package func activationBackward(
    _ activation: Activation, rows: Int, columns: Int, bias: ConstFloats?, product: Floats,
    dOutput: ConstFloats, output: Floats?, dBias: Floats?
) {
    switch activation {
    case .identity: backward(Identity.self, rows, columns, bias, product, dOutput, output, dBias)
    case .gelu: backward(GELU.self, rows, columns, bias, product, dOutput, output, dBias)
    case .geluTanh: backward(GELUTanh.self, rows, columns, bias, product, dOutput, output, dBias)
    case .relu: backward(ReLU.self, rows, columns, bias, product, dOutput, output, dBias)
    case .tanh: backward(Tanh.self, rows, columns, bias, product, dOutput, output, dBias)
    case .sigmoid: backward(Sigmoid.self, rows, columns, bias, product, dOutput, output, dBias)
    case .silu: backward(SiLU.self, rows, columns, bias, product, dOutput, output, dBias)
    }
}

/// ``activationForward`` in mixed precision: kept = product + bias, output = f(kept), both rounded to
/// bfloat16.
///
/// - product: [rows, columns], left as it is   - bias: [columns], or nil for none
/// - kept: [rows, columns], or nil where nobody needs it   - output: [rows, columns]
///
/// `columns` is a multiple of 16.
package func activationForwardRounded(
    _ activation: Activation, rows: Int, columns: Int, bias: ConstFloats?, product: ConstFloats,
    kept: Halves?, output: Halves
) {
    switch activation {
    case .identity: forward(Identity.self, rows, columns, bias, product, kept, output)
    case .gelu: forward(GELU.self, rows, columns, bias, product, kept, output)
    case .geluTanh: forward(GELUTanh.self, rows, columns, bias, product, kept, output)
    case .relu: forward(ReLU.self, rows, columns, bias, product, kept, output)
    case .tanh: forward(Tanh.self, rows, columns, bias, product, kept, output)
    case .sigmoid: forward(Sigmoid.self, rows, columns, bias, product, kept, output)
    case .silu: forward(SiLU.self, rows, columns, bias, product, kept, output)
    }
}

/// ``activationBackward`` of what ``activationForwardRounded`` kept: kept ← f′(kept) ⊙ dOutput, rounded;
/// dBias += its column sums before they are rounded; output = f(kept) once more, rounded.
///
/// - kept, dOutput, output: [rows, columns]   - dBias: [columns], or nil for a layer without
package func activationBackwardRounded(
    _ activation: Activation, rows: Int, columns: Int, kept: Halves, dOutput: ConstFloats,
    output: Halves, dBias: Floats?
) {
    switch activation {
    case .identity: backward(Identity.self, rows, columns, kept, dOutput, output, dBias)
    case .gelu: backward(GELU.self, rows, columns, kept, dOutput, output, dBias)
    case .geluTanh: backward(GELUTanh.self, rows, columns, kept, dOutput, output, dBias)
    case .relu: backward(ReLU.self, rows, columns, kept, dOutput, output, dBias)
    case .tanh: backward(Tanh.self, rows, columns, kept, dOutput, output, dBias)
    case .sigmoid: backward(Sigmoid.self, rows, columns, kept, dOutput, output, dBias)
    case .silu: backward(SiLU.self, rows, columns, kept, dOutput, output, dBias)
    }
}

@inline(__always) private func forward<F: LaneActivation>(
    _ function: F.Type, _ rows: Int, _ columns: Int, _ bias: ConstFloats?, _ product: ConstFloats,
    _ output: Floats
) {
    for row in 0..<rows {
        let source = product + row &* columns
        let target = output + row &* columns
        @inline(__always) func apply(_ index: Int, _ end: Int) {
            var x = load(source, index, end)
            if let bias { x += load(bias, index, end) }
            store(target, index, end, F.valueAndSlope(x).0)
        }
        forEachLanes(columns, apply)
    }
}

@inline(__always) private func backward<F: LaneActivation>(
    _ function: F.Type, _ rows: Int, _ columns: Int, _ bias: ConstFloats?, _ product: Floats,
    _ dOutput: ConstFloats, _ output: Floats?, _ dBias: Floats?
) {
    for row in 0..<rows {
        let target = product + row &* columns
        let upstream = dOutput + row &* columns
        @inline(__always) func multiply(_ index: Int, _ end: Int) {
            var x = load(target, index, end)
            if let bias { x += load(bias, index, end) }
            let (value, slope) = F.valueAndSlope(x)
            if let output { store(output + row &* columns, index, end, value) }
            let gradient = slope * load(upstream, index, end)
            store(target, index, end, gradient)
            if let dBias {
                store(dBias, index, end, load(dBias, index, end) + gradient)
            }
        }
        forEachLanes(columns, multiply)
    }
}

@inline(__always) private func forward<F: LaneActivation>(
    _ function: F.Type, _ rows: Int, _ columns: Int, _ bias: ConstFloats?, _ product: ConstFloats,
    _ kept: Halves?, _ output: Halves
) {
    for row in 0..<rows {
        let start = row &* columns
        var index = 0
        while index < columns {
            var x = load(product + (start &+ index))
            if let bias { x += load(bias + index) }
            let rounded = st_rounded(x)
            if let kept { st_store_halves(kept + (start &+ index), rounded) }
            let value = F.valueAndSlope(st_widened(rounded)).0
            st_store_halves(output + (start &+ index), st_rounded(value))
            index &+= laneCount
        }
    }
}

@inline(__always) private func backward<F: LaneActivation>(
    _ function: F.Type, _ rows: Int, _ columns: Int, _ kept: Halves, _ dOutput: ConstFloats,
    _ output: Halves, _ dBias: Floats?
) {
    for row in 0..<rows {
        let start = row &* columns
        var index = 0
        while index < columns {
            let sum = st_widened(st_load_halves(kept + (start &+ index)))
            let (value, slope) = F.valueAndSlope(sum)
            st_store_halves(output + (start &+ index), st_rounded(value))
            let gradient = slope * load(dOutput + (start &+ index))
            st_store_halves(kept + (start &+ index), st_rounded(gradient))
            if let dBias { store(dBias + index, load(dBias + index) + gradient) }
            index &+= laneCount
        }
    }
}

private protocol LaneActivation {
    static func valueAndSlope(_ x: Lanes) -> (Lanes, Lanes)
}

private enum Identity: LaneActivation {
    @inline(__always) static func valueAndSlope(_ x: Lanes) -> (Lanes, Lanes) {
        (x, Lanes(repeating: 1))
    }
}

/// x · Φ(x) with the normal distribution's Φ, the "exact" or erf form of GELU.
///
///     Φ(−|x|) = e^(−x²/2) · t · q(t)        t = 1 / (1 + 0.3 |x|)
///     f′(x)   = Φ(x) + x · e^(−x²/2) / √(2π)
///
/// The form is that of Abramowitz and Stegun 7.1.26; q has degree 7, fitted to a relative error of
/// 5e-8 for |x| ≤ 9. Value: absolute error below 1e-7 in Float32. Source of GELU: Hendrycks and
/// Gimpel 2016, arXiv:1606.08415.
private enum GELU: LaneActivation {
    @inline(__always) static func valueAndSlope(_ x: Lanes) -> (Lanes, Lanes) {
        let size = magnitude(x)
        let bell = exponential(x * x * -0.5)
        let t = 1 / multiplyAdd(0.3, size, Lanes(repeating: 1))
        var q = Lanes(repeating: qCoefficients.7)
        q = multiplyAdd(q, t, Lanes(repeating: qCoefficients.6))
        q = multiplyAdd(q, t, Lanes(repeating: qCoefficients.5))
        q = multiplyAdd(q, t, Lanes(repeating: qCoefficients.4))
        q = multiplyAdd(q, t, Lanes(repeating: qCoefficients.3))
        q = multiplyAdd(q, t, Lanes(repeating: qCoefficients.2))
        q = multiplyAdd(q, t, Lanes(repeating: qCoefficients.1))
        q = multiplyAdd(q, t, Lanes(repeating: qCoefficients.0))
        let tail = bell * (t * q)
        let phi = tail.replacing(with: 1 - tail, where: x .> 0)
        return (x * phi, multiplyAdd(x * 0.398_942_28, bell, phi))
    }

    private static let qCoefficients: (Float, Float, Float, Float, Float, Float, Float, Float) = (
        0.119605482, 0.121105827, 0.0977832525, 0.135422181,
        -0.0664059601, 0.219974541, -0.165021391, 0.0375360922
    )
}

/// 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))), "gelu_new", as x · sigmoid(2 √(2/π) (...)), which
/// keeps its digits where 1 + tanh cancels.
private enum GELUTanh: LaneActivation {
    @inline(__always) static func valueAndSlope(_ x: Lanes) -> (Lanes, Lanes) {
        let scale: Float = 1.595_769_1
        let square = x * x
        let inner = x * multiplyAdd(scale * 0.044_715, square, Lanes(repeating: scale))
        let (gate, gateSlope) = Sigmoid.valueAndSlope(inner)
        let innerSlope = multiplyAdd(scale * 3 * 0.044_715, square, Lanes(repeating: scale))
        return (x * gate, multiplyAdd(x * gateSlope, innerSlope, gate))
    }
}

private enum ReLU: LaneActivation {
    @inline(__always) static func valueAndSlope(_ x: Lanes) -> (Lanes, Lanes) {
        let zero = Lanes(repeating: 0)
        // `x` is the one kept for NaN: a broken value must stay visible.
        return (
            x.replacing(with: 0, where: x .<= 0), zero.replacing(with: 1, where: x .> 0)
        )
    }
}

/// sign(x) · (1 − e) / (1 + e) with e = e^(−2|x|).
private enum Tanh: LaneActivation {
    @inline(__always) static func valueAndSlope(_ x: Lanes) -> (Lanes, Lanes) {
        let e = exponential(magnitude(x) * -2)
        let size = (1 - e) / (1 + e)
        let value = size.replacing(with: -size, where: x .< 0)
        return (value, 1 - value * value)
    }
}

private enum Sigmoid: LaneActivation {
    @inline(__always) static func valueAndSlope(_ x: Lanes) -> (Lanes, Lanes) {
        let e = exponential(-magnitude(x))
        let low = e / (1 + e)
        let value = low.replacing(with: 1 - low, where: x .> 0)
        return (value, value * (1 - value))
    }
}

/// x · sigmoid(x).
private enum SiLU: LaneActivation {
    @inline(__always) static func valueAndSlope(_ x: Lanes) -> (Lanes, Lanes) {
        let (s, slope) = Sigmoid.valueAndSlope(x)
        return (x * s, multiplyAdd(x, slope, s))
    }
}
