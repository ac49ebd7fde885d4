// Every combination of listed values, once.

import Logging
import OrderedJSON
import Synchronization

/// Tries all combinations of the given values in a shuffled order and then stops the study.
///
/// - searchSpace: values by parameter name; parameters outside it are refused.
/// - seed: of the shuffle; `nil` means 0, so the order is reproducible even then.
public final class GridSampler: Sampler {
    private let searchSpace: NamedValues<[ParameterValue]>
    /// Combinations in the order of `searchSpace`, shuffled.
    private let grid: [[ParameterValue]]
    private let generator: Mutex<NumpyRandomState>

    private static let gridKey = "grid_id"
    private static let spaceKey = "search_space"
    /// Beyond this a grid neither fits memory nor a lifetime.
    private static let largestGrid = 10_000_000

    public init(_ searchSpace: NamedValues<[ParameterValue]>, seed: Int? = nil) throws {
        let space = searchSpace.sortedByName()
        var count = 1
        for values in space.values {
            let (product, overflow) = count.multipliedReportingOverflow(by: values.count)
            if overflow || product > Self.largestGrid {
                throw TuningError.argument(
                    owner: "GridSampler", name: "search_space",
                    problem: "holds more than \(Self.largestGrid) combinations; use fewer values "
                        + "or another sampler")
            }
            count = product
        }
        if count == 0 {
            throw TuningError.argument(
                owner: "GridSampler", name: "search_space",
                problem: "has a parameter without values")
        }
        var grid: [[ParameterValue]] = [[]]
        for values in space.values {
            grid = grid.flatMap { head in values.map { head + [$0] } }
        }
        var generator = NumpyRandomState(
            seed: try checkedSeed(seed, owner: "GridSampler") ?? 0)
        generator.shuffle(&grid)
        self.searchSpace = space
        self.grid = grid
        self.generator = Mutex(generator)
    }

    public func reseed() { generator.withLock { $0 = .fromEntropy() } }

    public func beforeTrial(_ study: StudyContext, trial: FrozenTrial) throws {
        // An enqueued trial has its values; a retried one has its place.
        if trial.systemAttrs[Self.gridKey] != nil || trial.systemAttrs[fixedParamsKey] != nil {
            return
        }
        var place = trial.number
        if !grid.indices.contains(place) {
            var open = try openPlaces(study)
            if open.isEmpty {
                study.logger.warning(
                    """
                    `GridSampler` is re-evaluating a configuration because the grid has been \
                    exhausted. This may happen due to a timing issue during distributed \
                    optimization or when re-running optimizations on already finished studies.
                    """)
                open = Array(grid.indices)
            }
            place = generator.withLock { open[$0.choice(open.count)] }
        }
        let space = JSONObject(
            searchSpace.map { ($0.name, .array($0.value.map(\.jsonValue))) })
        try study.storage.setTrialSystemAttribute(trial.trialID, Self.spaceKey, .object(space))
        try study.storage.setTrialSystemAttribute(
            trial.trialID, Self.gridKey, .int(Int64(place)))
    }

    public func sampleIndependent(
        _ study: StudyContext, trial: FrozenTrial, name: String, distribution: Distribution
    ) throws -> ParameterValue {
        guard let place = trial.systemAttrs[Self.gridKey]?.intValue, grid.indices.contains(place)
        else {
            throw TuningError.sampler(
                problem: "All parameters must be specified when using GridSampler with "
                    + "enqueue_trial.")
        }
        guard let column = searchSpace.position(of: name) else {
            throw TuningError.sampler(
                problem: "The parameter name, \(name), is not found in the given grid.")
        }
        let value = grid[place][column]
        if !distribution.contains(try distribution.internalValue(of: value)) {
            study.warn(
                "The value `\(value)` is out of range of the parameter `\(name)`. The value will "
                    + "be used but the actual distribution is: `\(distribution)`.")
        }
        return value
    }

    public func afterTrial(
        _ study: StudyContext, trial: FrozenTrial, state: TrialState, values: [Double]?
    ) throws {
        let open = try openPlaces(study)
        let own = try study.storage.trial(trial.trialID).systemAttrs[Self.gridKey]?.intValue
        if open.isEmpty || (open.count == 1 && open.first == own) { try study.stop() }
    }

    /// Places of this grid that no trial has visited or is visiting; all unfinished ones if every
    /// place has been begun.
    private func openPlaces(_ study: StudyContext) throws -> [Int] {
        var visited = Set<Int>()
        var running = Set<Int>()
        for trial in try study.storage.trials(study.studyID, states: .all) {
            guard let place = trial.systemAttrs[Self.gridKey]?.intValue,
                isSameSpace(trial.systemAttrs[Self.spaceKey])
            else { continue }
            if trial.state.isFinished { visited.insert(place) }
            if trial.state == .running { running.insert(place) }
        }
        let untouched = grid.indices.filter { !visited.contains($0) && !running.contains($0) }
        return untouched.isEmpty ? grid.indices.filter { !visited.contains($0) } : untouched
    }

    private func isSameSpace(_ json: JSONValue?) -> Bool {
        guard let members = json?.objectValue, members.count == searchSpace.count else {
            return false
        }
        return searchSpace.allSatisfy { name, values in
            guard let others = members[name]?.arrayValue, others.count == values.count else {
                return false
            }
            return zip(values, others).allSatisfy { value, other in
                ParameterValue(other).map { value.isPythonEqual(to: $0) } ?? false
            }
        }
    }
}
