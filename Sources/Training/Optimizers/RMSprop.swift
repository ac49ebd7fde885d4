/// RMSprop: steps over a running mean of squared gradients.
///
///     g ← g + λ w          v ← α v + (1 − α) g²
///     d = √v + ε, or with `centered`  m ← m + (1 − α)(g − m),  d = √(v − m²) + ε
///     w ← w − lr · g / d, or with momentum  b ← μ b + g / d,  w ← w − lr · b
///
/// `optim = "rmsprop"`; `optim_args = "alpha=0.99,eps=1e-8,momentum=0,centered=False"` sets α, ε, μ and
/// the variant. Weight decay is an L2 term of the gradient. Source: torch.optim.RMSprop. Checked by
/// `AdamWTests` against torch.
public final class RMSprop: Optimizer, @unchecked Sendable {
    public var groups: [ParameterGroup]
    public var steps = 0
    private let alpha: Float
    private let keep: Float
    private let epsilon: Float
    private let momentum: Float
    private let squares: [[StateTensor]]
    /// Empty unless centered.
    private let means: [[StateTensor]]
    /// Empty without momentum.
    private let buffers: [[StateTensor]]

    /// - Throws: when there is no memory for the state.
    public init(
        groups: [ParameterGroup], alpha: Double = 0.99, epsilon: Double = 1e-8,
        momentum: Double = 0, centered: Bool = false
    ) throws {
        let groups = groups.map(\.trainable)
        func tensors(_ name: String, _ isNeeded: Bool) throws -> [[StateTensor]] {
            guard isNeeded else { return [] }
            return try groups.map { try $0.parameters.map { try StateTensor($0, name) } }
        }
        self.groups = groups
        self.alpha = Float(alpha)
        keep = Float(1 - alpha)
        self.epsilon = Float(epsilon)
        self.momentum = Float(momentum)
        squares = try tensors("square_avg", true)
        means = try tensors("grad_avg", centered)
        buffers = try tensors("momentum_buffer", momentum > 0)
    }

    package func step(clip: Float, pool: WorkerPool?) {
        steps += 1
        forEachPiece(of: groups, pool: pool) { piece in
            func values(_ tensors: [[StateTensor]]) -> UnsafeMutablePointer<Float>? {
                tensors.isEmpty ? nil : tensors[piece.groupIndex][piece.parameterIndex].values
            }
            guard let square = values(squares) else { return }
            update(piece, clip, square, mean: values(means), buffer: values(buffers))
        }
    }

    private func update(
        _ piece: ParameterPiece, _ clip: Float, _ square: UnsafeMutablePointer<Float>,
        mean: UnsafeMutablePointer<Float>?, buffer: UnsafeMutablePointer<Float>?
    ) {
        guard let gradient = piece.parameter.gradient else { return }
        let weights = piece.parameter.value
        let rate = Float(piece.group.learningRate)
        let decay = Float(piece.group.weightDecay)
        for index in piece.range {
            let slope = gradient[index] * clip + decay * weights[index]
            square[index] = alpha * square[index] + keep * slope * slope
            var variance = square[index]
            if let mean {
                mean[index] += keep * (slope - mean[index])
                // Rounding may leave less than nothing, whose root is no number.
                variance = max(variance - mean[index] * mean[index], 0)
            }
            var direction = slope / (variance.squareRoot() + epsilon)
            if let buffer {
                buffer[index] = momentum * buffer[index] + direction
                direction = buffer[index]
            }
            weights[index] -= rate * direction
        }
    }

    package var state: [OptimizerTensor] {
        (squares + means + buffers).joined().map(\.tensor)
    }

    package func stateWasRestored() {}
}
