// Independent uniform draws.

import Synchronization

/// Draws every parameter uniformly from its range (in the logarithm where it is logarithmic).
///
/// With a seed the values are Optuna's, number for number.
public final class RandomSampler: Sampler {
    private let generator: Mutex<NumpyRandomState>

    /// - seed: 0 ..< 2³², or `nil` for values that differ from run to run.
    public init(seed: Int? = nil) throws {
        generator = Mutex(.make(seed: try checkedSeed(seed, owner: "RandomSampler")))
    }

    public func sampleIndependent(
        _ study: StudyContext, trial: FrozenTrial, name: String, distribution: Distribution
    ) throws -> ParameterValue {
        let transform = SearchSpaceTransform(distribution)
        let point = generator.withLock { generator in
            transform.bounds.map { generator.uniform($0.low, $0.high) }
        }
        return transform.value(at: point)
    }

    public func reseed() { generator.withLock { $0 = .fromEntropy() } }
}
