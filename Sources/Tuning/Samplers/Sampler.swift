// The contract of the algorithms that suggest parameter values.

/// Suggests values for the parameters of a trial.
///
/// For every trial a study calls, in this order: ``beforeTrial(_:trial:)`` when the trial is made;
/// at the first suggestion that needs it, ``inferRelativeSearchSpace(_:trial:)`` and
/// ``sampleRelative(_:trial:searchSpace:)``, once, for the parameters that are drawn together;
/// ``sampleIndependent(_:trial:name:distribution:)`` for each parameter that those did not cover;
/// ``afterTrial(_:trial:state:values:)`` before the result is stored.
///
/// A sampler is never asked for a parameter with a single value, one that the user fixed, or one
/// that the trial already has.
///
/// **Threads.** Trials of one study may ask at the same time, so a sampler guards its generator and
/// its caches itself and must not call user code with the lock held. A sampler that looks at the
/// history sees trials in the order in which they happened to end.
///
/// **Randomness.** With a seed, a fresh sampler and the same history give the same values. Draws
/// happen only in the `sample` methods and in `beforeTrial`.
public protocol Sampler: AnyObject, Sendable {
    /// The parameters that can be drawn together, in the order of drawing.
    func inferRelativeSearchSpace(_ study: StudyContext, trial: FrozenTrial) throws
        -> NamedValues<Distribution>
    /// Values for some or all of that space.
    func sampleRelative(
        _ study: StudyContext, trial: FrozenTrial, searchSpace: NamedValues<Distribution>
    ) throws -> NamedValues<ParameterValue>
    /// The value of one parameter.
    func sampleIndependent(
        _ study: StudyContext, trial: FrozenTrial, name: String, distribution: Distribution
    ) throws -> ParameterValue
    func beforeTrial(_ study: StudyContext, trial: FrozenTrial) throws
    /// - trial: as it stands before the result is stored. - state, values: the result.
    func afterTrial(
        _ study: StudyContext, trial: FrozenTrial, state: TrialState, values: [Double]?) throws
    /// Seeds the generators from the operating system, so that processes with the same seed differ.
    func reseed()
}

extension Sampler {
    public func inferRelativeSearchSpace(
        _ study: StudyContext, trial: FrozenTrial
    ) throws -> NamedValues<Distribution> { [:] }
    public func sampleRelative(
        _ study: StudyContext, trial: FrozenTrial, searchSpace: NamedValues<Distribution>
    ) throws -> NamedValues<ParameterValue> { [:] }
    public func beforeTrial(_ study: StudyContext, trial: FrozenTrial) throws {}
    public func afterTrial(
        _ study: StudyContext, trial: FrozenTrial, state: TrialState, values: [Double]?
    ) throws {}
}
