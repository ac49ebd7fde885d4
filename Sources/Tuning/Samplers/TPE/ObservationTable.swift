// Observed values of a search space, column by column and presorted, with what can be reused of the
// kernels around them.

/// For each parameter of a space, the observation of every slot of a ``TPEHistory``.
struct ObservationTable: Sendable {
    let space: NamedValues<Distribution>
    private(set) var columns: [Column]
    /// Whether a slot's trial has all the parameters.
    private(set) var isPresent: [Bool] = []

    /// One parameter.
    struct Column: Sendable {
        /// By slot: the number, its logarithm where the range is logarithmic, or the place of the
        /// choice. 0 where the trial lacks a parameter.
        var centres: [Double] = []
        /// Slots ascending by centre; numbers only.
        var order: [Int] = []
        /// Whether two slots have the same centre: then the order of a sort matters.
        var hasTies = false
        var below = KernelCache()
        var above = KernelCache()
        var masses = StepMasses()
    }

    init(_ space: NamedValues<Distribution>) {
        self.space = space
        columns = space.values.map { _ in Column() }
    }

    /// - trials: by slot.
    mutating func update(with trials: [FrozenTrial]) throws {
        for slot in isPresent.count..<trials.count {
            let row = try centres(trials[slot].params)
            isPresent.append(row != nil)
            for index in columns.indices {
                columns[index].append(row?[index], slot, space[index].1)
            }
        }
    }

    /// Room for every slot among what is remembered of kernels, and an end to what has grown too
    /// large.
    mutating func prepareCaches() {
        for index in columns.indices {
            if columns[index].masses.isLarge {
                columns[index].masses = StepMasses()
                columns[index].below = KernelCache()
                columns[index].above = KernelCache()
            }
            columns[index].below.grow(to: isPresent.count)
            columns[index].above.grow(to: isPresent.count)
        }
    }

    /// A centre for each parameter, if the trial has them all.
    func centres(_ params: NamedValues<ParameterValue>) throws -> [Double]? {
        guard space.names.allSatisfy(params.contains) else { return nil }
        return try space.map { name, distribution in
            guard let value = params[name] else { return 0 }
            return distribution.centre(ofInternal: try distribution.internalValue(of: value))
        }
    }
}

extension ObservationTable.Column {
    fileprivate mutating func append(_ centre: Double?, _ slot: Int, _ distribution: Distribution) {
        centres.append(centre ?? 0)
        guard let centre else { return }
        if case .categorical = distribution { return }
        let place = order.partitioningIndex { centres[$0] > centre }
        if place > 0 && centres[order[place - 1]] == centre { hasTies = true }
        order.insert(slot, at: place)
    }
}

extension Distribution {
    /// Where a kernel of TPE stands for an internal value.
    func centre(ofInternal value: Double) -> Double {
        switch self {
        case .float(let it): it.log ? logarithm(value) : value
        case .int(let it): it.log ? logarithm(value) : value
        case .categorical: value
        }
    }
}

/// Numbers of the kernels of one parameter from the draw before, by slot. A kernel whose width has
/// not changed (most have not) needs no new normalisation.
struct KernelCache: Sendable {
    var sigmas: [Double] = []
    /// Log mass within the range.
    var norms: [Double] = []
    /// Continuous parameters: ln √(2π) + log mass + ln σ, what is subtracted from -z²/2.
    var constants: [Double] = []
    /// Stepped parameters: row of the kernel in a ``StepMasses`` table.
    var rows: [Int32] = []

    mutating func grow(to count: Int) {
        guard sigmas.count < count else { return }
        let missing = count - sigmas.count
        sigmas.append(contentsOf: repeatElement(.nan, count: missing))
        norms.append(contentsOf: repeatElement(0, count: missing))
        constants.append(contentsOf: repeatElement(0, count: missing))
        rows.append(contentsOf: repeatElement(-1, count: missing))
    }
}

// MARK: - Choosing rows

extension ObservationTable {
    /// The observations of some slots and of running trials, in the order of the trials' numbers.
    ///
    /// - isChosen: by slot. - history: slots by number. - running: number and centres of trials
    ///   without a slot, ascending.
    func places(
        _ isChosen: (Int) -> Bool, history: TPEHistory,
        running: [(number: Int, centres: [Double])] = []
    ) -> [KernelPlaces] {
        var slots: [Int] = []
        slots.reserveCapacity(isPresent.count + running.count)
        var next = 0
        for slot in history.byNumber where isPresent[slot] && isChosen(slot) {
            while next < running.count && running[next].number < history.trials[slot].number {
                slots.append(-1 - next)
                next += 1
            }
            slots.append(slot)
        }
        while next < running.count {
            slots.append(-1 - next)
            next += 1
        }
        // Place of each slot among the chosen ones.
        var places = [Int](repeating: -1, count: isPresent.count)
        for (place, slot) in slots.enumerated() where slot >= 0 { places[slot] = place }
        return columns.indices.map { index in
            let column = columns[index]
            var result = KernelPlaces(
                centres: slots.map {
                    $0 >= 0 ? column.centres[$0] : running[-1 - $0].centres[index]
                }, slots: slots)
            if running.isEmpty && !column.hasTies {
                var order: [Int] = []
                order.reserveCapacity(slots.count)
                for slot in column.order where places[slot] >= 0 { order.append(places[slot]) }
                result.order = order
            }
            return result
        }
    }
}

extension ObservationTable {
    /// The density of the chosen observations.
    ///
    /// - part: whose kernels are remembered from draw to draw.
    mutating func estimator(
        _ places: [KernelPlaces], _ weights: [Double],
        _ part: WritableKeyPath<Column, KernelCache>, _ parameters: ParzenEstimatorParameters
    ) throws -> ParzenEstimator {
        prepareCaches()
        var caches = columns.indices.map { index in
            // Moved out and back, as a copy would be a whole history.
            let cache = columns[index][keyPath: part]
            columns[index][keyPath: part] = KernelCache()
            return cache
        }
        defer {
            for index in columns.indices { columns[index][keyPath: part] = caches[index] }
        }
        return try ParzenEstimator(
            places, count: places.first?.centres.count ?? 0, distributions: space.values,
            parameters: parameters, weights: weights, masses: columns.map(\.masses),
            caches: &caches)
    }
}
