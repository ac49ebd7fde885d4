/// Adagrad: steps that shrink with the sum of all squared gradients so far.
///
///     g ← g + λ w          s ← s + g²          w ← w − lr / (1 + (t − 1) δ) · g / (√s + ε)
///
/// `optim = "adagrad"`; `optim_args = "lr_decay=0,eps=1e-10"` sets δ (0) and ε (1e-10). Weight decay is
/// an L2 term of the gradient. Source: Duchi et al. 2011, JMLR 12; torch.optim.Adagrad. Checked by
/// `AdamWTests` against torch.
public final class Adagrad: Optimizer, @unchecked Sendable {
    public var groups: [ParameterGroup]
    public var steps = 0
    private let rateDecay: Double
    private let epsilon: Float
    private let sums: [[StateTensor]]

    /// - Throws: when there is no memory for the sums.
    public init(groups: [ParameterGroup], lrDecay: Double = 0, epsilon: Double = 1e-10) throws {
        self.groups = groups.map(\.trainable)
        rateDecay = lrDecay
        self.epsilon = Float(epsilon)
        sums = try self.groups.map { try $0.parameters.map { try StateTensor($0, "sum") } }
    }

    package func step(clip: Float, pool: WorkerPool?) {
        steps += 1
        let shrinking = 1 + Double(steps - 1) * rateDecay
        forEachPiece(of: groups, pool: pool) { piece in
            guard let gradient = piece.parameter.gradient else { return }
            let weights = piece.parameter.value
            let sum = sums[piece.groupIndex][piece.parameterIndex].values
            let rate = Float(piece.group.learningRate / shrinking)
            let decay = Float(piece.group.weightDecay)
            for index in piece.range {
                let slope = gradient[index] * clip + decay * weights[index]
                sum[index] += slope * slope
                weights[index] -= rate * slope / (sum[index].squareRoot() + epsilon)
            }
        }
    }

    package var state: [OptimizerTensor] { sums.joined().map(\.tensor) }

    package func stateWasRestored() {}
}
