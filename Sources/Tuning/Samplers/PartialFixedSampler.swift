// Some parameters held, the others left to another sampler.

/// Gives the fixed parameters their values and lets the base sampler choose the rest.
public final class PartialFixedSampler: Sampler {
    private let fixedParams: NamedValues<ParameterValue>
    private let base: any Sampler

    public init(_ fixedParams: NamedValues<ParameterValue>, base: any Sampler) {
        self.fixedParams = fixedParams
        self.base = base
    }

    public func reseed() { base.reseed() }

    public func inferRelativeSearchSpace(
        _ study: StudyContext, trial: FrozenTrial
    ) throws -> NamedValues<Distribution> {
        try base.inferRelativeSearchSpace(study, trial: trial)
            .filter { name, _ in !fixedParams.contains(name) }
    }

    public func sampleRelative(
        _ study: StudyContext, trial: FrozenTrial, searchSpace: NamedValues<Distribution>
    ) throws -> NamedValues<ParameterValue> {
        try base.sampleRelative(study, trial: trial, searchSpace: searchSpace)
    }

    public func sampleIndependent(
        _ study: StudyContext, trial: FrozenTrial, name: String, distribution: Distribution
    ) throws -> ParameterValue {
        guard let value = fixedParams[name] else {
            return try base.sampleIndependent(
                study, trial: trial, name: name, distribution: distribution)
        }
        if !distribution.contains(try distribution.internalValue(of: value)) {
            study.warn(
                "Fixed parameter '\(name)' with value \(value) is out of range for distribution "
                    + "\(distribution).")
        }
        return value
    }

    public func beforeTrial(_ study: StudyContext, trial: FrozenTrial) throws {
        try base.beforeTrial(study, trial: trial)
    }

    public func afterTrial(
        _ study: StudyContext, trial: FrozenTrial, state: TrialState, values: [Double]?
    ) throws {
        try base.afterTrial(study, trial: trial, state: state, values: values)
    }
}
