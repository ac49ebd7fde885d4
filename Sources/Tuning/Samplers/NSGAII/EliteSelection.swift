// Which trials survive a generation of NSGA-II.

/// The best `count` of a population: front by front, of the last front those in sparse regions.
///
/// Trials that violate constraints come after all that don't, ordered by how much.
func elitePopulation(
    _ population: [FrozenTrial], directions: [StudyDirection], count: Int
) -> [FrozenTrial] {
    var elite: [FrozenTrial] = []
    for front in fronts(of: population, directions) {
        if elite.count + front.count < count {
            elite += front
            continue
        }
        elite += sortedByCrowding(front).prefix(count - elite.count)
        break
    }
    return elite
}

private func fronts(
    of population: [FrozenTrial], _ directions: [StudyDirection]
) -> [[FrozenTrial]] {
    let isConstrained = population.contains { !$0.constraints.isEmpty }
    let violations = population.map { isConstrained ? $0.violation : 0 }
    let feasible = population.indices.filter { !(violations[$0] > 0) }
    var ranks = [Int](repeating: 0, count: population.count)
    let feasibleRanks = nonDominationRanks(
        feasible.map { losses(of: population[$0], directions) }, enough: feasible.count)
    for (place, index) in feasible.enumerated() { ranks[index] = feasibleRanks[place] }
    let firstInfeasible = (feasibleRanks.max() ?? -1) + 1
    let distinct = Set(violations.filter { $0 > 0 }).sorted()
    for index in population.indices where violations[index] > 0 {
        ranks[index] =
            firstInfeasible + distinct.partitioningIndex { $0 >= violations[index] }
    }
    var result = [[FrozenTrial]](repeating: [], count: (ranks.max() ?? -1) + 1)
    for (index, rank) in ranks.enumerated() { result[rank].append(population[index]) }
    return result
}

/// Those with the widest gaps to their neighbours first.
///
/// The crowding distance of a trial is the sum over the objectives of the gap between its
/// neighbours in that objective, relative to the objective's spread. The order of equal ones
/// follows from the stable sorts, one objective after the other, and a final reversal.
private func sortedByCrowding(_ front: [FrozenTrial]) -> [FrozenTrial] {
    var order = Array(front.indices)
    var distances = [Double](repeating: 0, count: front.count)
    for objective in 0..<(front.first?.values?.count ?? 0) {
        let values = front.map { $0.values?[objective] ?? .infinity }
        order = order.stablySorted { values[$0] < values[$1] }
        let sorted = order.map { values[$0] }
        guard let first = sorted.first, let last = sorted.last, first != last else { continue }
        let padded = [-Double.infinity] + sorted + [Double.infinity]
        let smallest = padded.first { $0 != -.infinity } ?? 0
        let largest = padded.last { $0 != .infinity } ?? 0
        var width = largest - smallest
        if width <= 0 { width = 1 }
        for (place, index) in order.enumerated() {
            let gap =
                padded[place] == padded[place + 2] ? 0 : padded[place + 2] - padded[place]
            distances[index] += gap / width
        }
    }
    return order.stablySorted { distances[$0] < distances[$1] }.reversed().map { front[$0] }
}

extension Array {
    /// As Python's `sort`: equal elements keep their order.
    func stablySorted(_ precedes: (Element, Element) -> Bool) -> [Element] {
        indices.sorted { left, right in
            if precedes(self[left], self[right]) { return true }
            if precedes(self[right], self[left]) { return false }
            return left < right
        }.map { self[$0] }
    }
}

/// The values with smaller ones better.
func losses(of trial: FrozenTrial, _ directions: [StudyDirection]) -> [Double] {
    zip(trial.values ?? [], directions).map { $1 == .maximize ? -$0 : $0 }
}

/// Whether the first trial is feasible and the second is not, violates less, or dominates.
func dominatesConstrained(
    _ first: FrozenTrial, _ second: FrozenTrial, _ directions: [StudyDirection]
) -> Bool {
    switch (first.isFeasible, second.isFeasible) {
    case (true, true): dominates(losses(of: first, directions), losses(of: second, directions))
    case (true, false): true
    case (false, true): false
    case (false, false): first.violation < second.violation
    }
}
