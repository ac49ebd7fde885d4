/// Stochastic gradient descent with momentum.
///
///     g ← g + λ w
///     b ← g at the first update, else μ b + (1 − τ) g          only if μ ≠ 0
///     w ← w − lr · (b, or g + μ b with nesterov, or g without momentum)
///
/// `optim = "sgd"`; `optim_args = "momentum=0.9,dampening=0,nesterov=True"` sets μ (0), τ (0) and the
/// variant. Weight decay is an L2 term of the gradient here, not decoupled as in AdamW.
/// Source: torch.optim.SGD. Checked by `AdamWTests` against torch.
public final class SGD: Optimizer, @unchecked Sendable {
    public var groups: [ParameterGroup]
    public var steps = 0
    public let momentum: Double
    public let dampening: Double
    public let nesterov: Bool
    /// One momentum buffer per parameter; empty without momentum.
    private var buffers: [[UnsafeMutablePointer<Float>]]

    public init(
        groups: [ParameterGroup], momentum: Double = 0, dampening: Double = 0,
        nesterov: Bool = false
    ) throws {
        func refuse(_ problem: String) -> TrainingError {
            .argument(
                owner: "SentenceTransformerTrainingArguments", name: "optim_args", problem: problem)
        }
        guard momentum >= 0, momentum.isFinite, dampening.isFinite else {
            throw refuse("momentum must be 0 or more, got \(momentum)")
        }
        guard !nesterov || (momentum > 0 && dampening == 0) else {
            throw refuse("nesterov needs a momentum and no dampening")
        }
        self.groups = groups.map(\.trainable)
        self.momentum = momentum
        self.dampening = dampening
        self.nesterov = nesterov
        buffers = self.groups.map { group in
            momentum == 0
                ? []
                : group.parameters.map {
                    let buffer = UnsafeMutablePointer<Float>.allocate(capacity: max($0.count, 1))
                    buffer.initialize(repeating: 0, count: $0.count)
                    return buffer
                }
        }
    }

    deinit { for buffer in buffers.joined() { buffer.deallocate() } }

    package func step(clip: Float, pool: WorkerPool?) {
        steps += 1
        for (index, group) in groups.enumerated() {
            for (position, parameter) in group.parameters.enumerated() {
                let buffer = momentum == 0 ? nil : buffers[index][position]
                update(parameter, buffer, group, clip)
            }
        }
    }

    private func update(
        _ parameter: Parameter, _ buffer: UnsafeMutablePointer<Float>?, _ group: ParameterGroup,
        _ clip: Float
    ) {
        guard let gradient = parameter.gradient else { return }
        let rate = Float(group.learningRate)
        let decay = Float(group.weightDecay)
        let keep = steps == 1 ? Float(1) : Float(1 - dampening)
        let momentum = Float(momentum)
        for index in 0..<parameter.count {
            var slope = gradient[index] * clip
            if decay != 0 { slope += decay * parameter.value[index] }
            if let buffer {
                buffer[index] = momentum * buffer[index] + keep * slope
                slope = nesterov ? slope + momentum * buffer[index] : buffer[index]
            }
            parameter.value[index] -= rate * slope
        }
    }

    package var state: [OptimizerTensor] {
        zip(groups, buffers).flatMap { group, buffers in
            zip(group.parameters, buffers).map { parameter, buffer in
                OptimizerTensor(
                    name: "\(parameter.qualifiedName).momentum_buffer", shape: parameter.shape,
                    values: buffer, count: parameter.count)
            }
        }
    }

    package func stateWasRestored() {}
}
