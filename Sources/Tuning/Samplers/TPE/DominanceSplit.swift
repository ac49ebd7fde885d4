// The best of trials with several objectives: whole fronts first, then the part of the next front
// that covers most.

/// Indices of the `count` best points, for TPE's split.
///
/// Fronts of mutually non-dominating points are taken whole as long as they fit; of the first one
/// that does not, the subset with (greedily) the largest hypervolume.
///
/// - points: an index to return and one value per objective.
/// Source: Ozaki et al. 2022, doi:10.1613/jair.1.13188. Checked by `OptunaCompatibilityTests`.
func bestByDominance(
    _ points: [(Int, [Double])], directions: [StudyDirection], count: Int, tieOrder: TieOrder
) -> [Int] {
    if count <= 0 { return [] }
    if count >= points.count { return points.map(\.0) }
    let losses = points.map { point in
        zip(point.1, directions).map { $1 == .maximize ? -$0 : $0 }
    }
    let ranks = nonDominationRanks(losses, enough: count)
    var chosen: [Int] = []
    var rank = 0
    while chosen.count < count {
        let front = ranks.indices.filter { ranks[$0] == rank }
        if front.isEmpty { break }
        if chosen.count + front.count <= count {
            chosen += front
        } else {
            let subset = largestHypervolumeSubset(
                front.map { losses[$0] }, count: count - chosen.count, tieOrder: tieOrder)
            chosen += subset.map { front[$0] }
        }
        rank += 1
    }
    return chosen.map { points[$0].0 }
}

/// Front of each point, 0 for the non-dominated ones. Ranking stops once `enough` distinct points
/// have a rank; all others share the next one.
package func nonDominationRanks(_ losses: [[Double]], enough: Int) -> [Int] {
    let distinct = distinctSorted(losses)
    let enough = min(enough, distinct.count)
    var rankOfDistinct = [Int](repeating: 0, count: distinct.count)
    var rest = Array(distinct.indices)
    var rank = 0
    while distinct.count - rest.count < enough {
        // In lexicographic order nothing is dominated by what follows.
        var front: [Int] = []
        var dominated: [Int] = []
        for index in rest {
            let point = losses[distinct[index].first]
            let isDominated = front.contains {
                dominates(losses[distinct[$0].first], point)
            }
            if isDominated { dominated.append(index) } else { front.append(index) }
        }
        for index in front { rankOfDistinct[index] = rank }
        rest = dominated
        rank += 1
    }
    for index in rest { rankOfDistinct[index] = rank }
    var ranks = [Int](repeating: 0, count: losses.count)
    for (index, group) in distinct.enumerated() {
        for member in group.members { ranks[member] = rankOfDistinct[index] }
    }
    return ranks
}

/// Equal points, by the indices of all of them.
private struct Group {
    /// The smallest index.
    let first: Int
    var members: [Int]
}

/// Groups of equal points in lexicographic order.
private func distinctSorted(_ points: [[Double]]) -> [Group] {
    let order = points.indices.sorted { left, right in
        if points[left] == points[right] { return left < right }
        return points[left].lexicographicallyPrecedes(points[right])
    }
    var groups: [Group] = []
    for index in order {
        if let last = groups.last, points[last.first] == points[index] {
            groups[groups.count - 1].members.append(index)
        } else {
            groups.append(Group(first: index, members: [index]))
        }
    }
    return groups
}

/// Indices of `count` mutually non-dominating points with a large common hypervolume, chosen
/// greedily against a reference point a little beyond the worst values.
///
/// Source: Guerreiro, Fonseca and Paquete 2016, doi:10.1162/EVCO_a_00159.
func largestHypervolumeSubset(
    _ losses: [[Double]], count: Int, tieOrder: TieOrder
) -> [Int] {
    if count >= losses.count { return Array(losses.indices) }
    let groups = distinctSorted(losses)
    if groups.count < count {
        // All distinct points, then repetitions in their order.
        let firsts = Set(groups.map(\.first))
        let repeated = losses.indices.filter { !firsts.contains($0) }
        return (Array(firsts) + repeated.prefix(count - groups.count)).sorted()
    }
    let candidates = groups.map(\.first)
    if candidates.count == count { return candidates }
    let objectives = losses.first?.count ?? 0
    let reference = (0..<objectives).map { objective -> Double in
        let worst = losses.map { $0[objective] }.max() ?? 0
        let point = max(1.1 * worst, 0.9 * worst)
        return point == 0 ? 1e-12 : point
    }
    guard reference.allSatisfy(\.isFinite) else { return Array(candidates.prefix(count)) }
    let points = candidates.map { losses[$0] }
    let subset =
        objectives == 2
        ? greedySubset2D(points, count, reference)
        : greedySubset(points, count, reference, tieOrder)
    return subset.map { candidates[$0] }
}

/// Two objectives, points in lexicographic order: what each point adds is a rectangle up to its
/// chosen neighbours.
private func greedySubset2D(
    _ points: [[Double]], _ count: Int, _ reference: [Double]
) -> [Int] {
    var remaining = Array(points.indices)
    var corners = Array(repeating: reference, count: points.count)
    var chosen: [Int] = []
    for _ in 0..<count {
        let best = indexOfMaximum(
            remaining.indices.map { place in
                let point = points[remaining[place]]
                return (corners[place][0] - point[0]) * (corners[place][1] - point[1])
            })
        let point = points[remaining[best]]
        chosen.append(remaining[best])
        remaining.remove(at: best)
        corners.remove(at: best)
        for place in corners.indices {
            if place < best {
                corners[place][0] = min(point[0], corners[place][0])
            } else {
                corners[place][1] = min(point[1], corners[place][1])
            }
        }
    }
    return chosen
}

/// Any number of objectives. Contributions only shrink as points are chosen, so an old one is an
/// upper bound and most need no new computation.
private func greedySubset(
    _ points: [[Double]], _ count: Int, _ reference: [Double], _ tieOrder: TieOrder
) -> [Int] {
    var remaining = Array(points.indices)
    var contributions = points.map { boxVolume($0, reference) }
    var chosen: [Int] = []
    var volume = 0.0
    while true {
        let best = indexOfMaximum(contributions)
        volume += contributions[best]
        chosen.append(remaining[best])
        remaining.remove(at: best)
        contributions.remove(at: best)
        if chosen.count == count { return chosen }
        if volume.isInfinite {
            contributions = contributions.map { _ in .infinity }
            continue
        }
        let selected = chosen.map { points[$0] }
        guard let newest = selected.last else { return chosen }
        for place in contributions.indices {
            let point = points[remaining[place]]
            let common = boxVolume(zip(point, newest).map { max($0, $1) }, reference)
            contributions[place] = min(
                contributions[place], boxVolume(point, reference) - common)
        }
        var largest = 0.0
        for place in argSort(contributions.map { -$0 }, tieOrder) {
            let point = points[remaining[place]]
            let own = boxVolume(point, reference)
            if own.isInfinite {
                contributions[place] = .infinity
                largest = .infinity
                continue
            }
            if contributions[place] < largest { continue }
            if reference.count <= 3 {
                contributions[place] =
                    hypervolume(ofFront: selected + [point], reference) - volume
            } else {
                let common = selected.map { other in zip(point, other).map { max($0, $1) } }
                contributions[place] = own - hypervolume(common, reference)
            }
            largest = max(contributions[place], largest)
        }
    }
}
