// The volume that a set of points dominates below a reference point.

/// Volume of the box between a point and the reference point.
func boxVolume(_ point: [Double], _ reference: [Double]) -> Double {
    var volume = 1.0
    for (value, limit) in zip(point, reference) { volume *= limit - value }
    return volume
}

/// Hypervolume of any points at or below the reference point (smaller is better).
///
/// Source: While, Bradstreet and Barone 2012, doi:10.1109/TEVC.2010.2077298 (WFG). Checked by
/// `HypervolumeTests`.
package func hypervolume(_ points: [[Double]], _ reference: [Double]) -> Double {
    hypervolume(ofFront: front(of: points), reference)
}

/// Hypervolume of points that don't dominate each other.
func hypervolume(ofFront points: [[Double]], _ reference: [Double]) -> Double {
    guard reference.allSatisfy(\.isFinite) else { return .infinity }
    if points.isEmpty { return 0 }
    let sorted = points.sorted { $0.lexicographicallyPrecedes($1) }
    let volume: Double
    switch reference.count {
    case 2: volume = area(sorted, reference)
    case 3: volume = volumeOfCells(sorted, reference)
    default: volume = volumeByExclusion(sorted, reference)
    }
    return volume.isFinite ? volume : .infinity
}

/// The non-dominated ones of the points, once each, in lexicographic order.
private func front(of points: [[Double]]) -> [[Double]] {
    var front: [[Double]] = []
    for point in points.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
        let isCovered = front.contains { other in zip(other, point).allSatisfy { $0 <= $1 } }
        if !isCovered { front.append(point) }
    }
    return front
}

private func area(_ sorted: [[Double]], _ reference: [Double]) -> Double {
    var sum = 0.0
    var ceiling = reference[1]
    for point in sorted {
        sum += (reference[0] - point[0]) * (ceiling - point[1])
        ceiling = point[1]
    }
    return sum
}

/// Three objectives: columns over the grid of all x and y values, each as high as the lowest point
/// that covers it.
private func volumeOfCells(_ sorted: [[Double]], _ reference: [Double]) -> Double {
    let count = sorted.count
    let byY = sorted.indices.sorted {
        sorted[$0][1] == sorted[$1][1] ? $0 < $1 : sorted[$0][1] < sorted[$1][1]
    }
    // heights[x][y]: over the cell between the x-th and the next x and the y-th and the next y.
    var heights = [[Double]](repeating: Array(repeating: 0, count: count), count: count)
    for (place, index) in byY.enumerated() {
        heights[index][place] = reference[2] - sorted[index][2]
    }
    for x in 0..<count {
        for y in 0..<count {
            if x > 0 { heights[x][y] = max(heights[x][y], heights[x - 1][y]) }
            if y > 0 { heights[x][y] = max(heights[x][y], heights[x][y - 1]) }
        }
    }
    var volume = 0.0
    for x in 0..<count {
        let nextX = x + 1 < count ? sorted[x + 1][0] : reference[0]
        var slice = 0.0
        for y in 0..<count {
            let nextY = y + 1 < count ? sorted[byY[y + 1]][1] : reference[1]
            slice += heights[x][y] * (nextY - sorted[byY[y]][1])
        }
        volume += slice * (nextX - sorted[x][0])
    }
    return volume
}

/// Each point's box less what the points after it cover of it.
private func volumeByExclusion(_ sorted: [[Double]], _ reference: [Double]) -> Double {
    var volume = 0.0
    for (index, point) in sorted.enumerated().reversed() {
        let own = boxVolume(point, reference)
        let limited = sorted[(index + 1)...].map { other in zip(point, other).map { max($0, $1) } }
        volume +=
            limited.isEmpty ? own : own - volumeByExclusion(front(of: limited), reference)
    }
    return volume
}
