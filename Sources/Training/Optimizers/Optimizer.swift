// What the trainer needs from an optimizer, and the parameter groups that Python makes. Called by
// SentenceTransformerTrainer once per update, after clipping.

/// An update rule with its state.
package protocol Optimizer: AnyObject {
    var groups: [ParameterGroup] { get set }
    /// Updates made so far.
    var steps: Int { get set }
    /// One update with every gradient multiplied by `clip` first (1: unclipped).
    ///
    /// Multiplying on the way gives the same bits as clipping in a pass of its own: it is the same
    /// float32 product, rounded the same way.
    ///
    /// - pool: shares the work out; the result does not depend on it.
    func step(clip: Float, pool: WorkerPool?)
    /// The state's tensors, for checkpoints: read when one is written, written to when one is read.
    var state: [OptimizerTensor] { get }
    /// Called after the tensors of ``state`` have been written to.
    func stateWasRestored()
}

/// One tensor of an optimizer's state; the memory belongs to the optimizer.
package struct OptimizerTensor {
    package let name: String
    package let shape: [Int]
    package let values: UnsafeMutablePointer<Float>
    package let count: Int
}

/// Which parameters are decayed: all but biases and normalisation weights, by name.
///
/// A parameter has no weight decay when a lower-cased part of its dotted name matches `bias`,
/// `layernorm`, `rmsnorm`, `(^|.)norm($|.)` or `_norm($|.)`. LayerNorms whose name matches none of
/// these (DistilBERT's `sa_layer_norm` does match) have to be told apart by their type.
/// Source: transformers' Trainer.get_decay_parameter_names.
package func hasWeightDecay(_ qualifiedName: String) -> Bool {
    let name = qualifiedName.lowercased()
    if name.contains("bias") || name.contains("layernorm") || name.contains("rmsnorm") {
        return false
    }
    return !name.split(separator: ".").contains { $0 == "norm" || $0.hasSuffix("_norm") }
}

/// Parameters that share a learning rate and a weight decay.
public struct ParameterGroup: Sendable {
    public var parameters: [Parameter]
    /// The learning rate that the schedule multiplies.
    public var initialLearningRate: Double
    /// The learning rate of the next update.
    public var learningRate: Double
    /// Decoupled weight decay per update, a fraction of the learning rate; 0 switches it off.
    public var weightDecay: Double

    public init(parameters: [Parameter], learningRate: Double, weightDecay: Double) {
        self.parameters = parameters
        initialLearningRate = learningRate
        self.learningRate = learningRate
        self.weightDecay = weightDecay
    }

    /// The same group without parameters that have no gradient buffer: torch skips `grad is None`.
    var trainable: ParameterGroup {
        var group = self
        group.parameters = parameters.filter { $0.gradient != nil }
        return group
    }
}
