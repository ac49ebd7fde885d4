// A regression tree as a piecewise constant function over the whole search space.

/// Means and variances of a tree's function under a uniform distribution over the space.
struct FanovaTree {
    private let tree: RegressionTree
    private let bounds: [(low: Double, high: Double)]
    /// Mean and volume of each node's box.
    private let means: [Double]
    private let volumes: [Double]
    /// Columns on which each node or one below it splits.
    private let splitColumns: [Set<Int>]
    /// Variance over the whole space.
    let variance: Double

    init(_ tree: RegressionTree, bounds: [(low: Double, high: Double)]) {
        self.tree = tree
        self.bounds = bounds
        let nodes = tree.nodes
        var boxes = Array(repeating: bounds, count: nodes.count)
        for (index, node) in nodes.enumerated() {
            guard let feature = node.feature else { continue }
            boxes[node.left] = boxes[index]
            boxes[node.left][feature].high = node.threshold
            boxes[node.right] = boxes[index]
            boxes[node.right][feature].low = node.threshold
        }
        var means = nodes.map(\.value)
        var volumes = boxes.map { $0.reduce(1) { $0 * ($1.high - $1.low) } }
        var columns = nodes.map { _ in Set<Int>() }
        for index in nodes.indices.reversed() {
            guard let feature = nodes[index].feature else { continue }
            let (left, right) = (nodes[index].left, nodes[index].right)
            volumes[index] = volumes[left] + volumes[right]
            means[index] =
                (means[left] * volumes[left] + means[right] * volumes[right]) / volumes[index]
            columns[index] = columns[left].union(columns[right]).union([feature])
        }
        let leaves = nodes.indices.filter { nodes[$0].feature == nil }
        variance = weightedVariance(leaves.map { means[$0] }, leaves.map { volumes[$0] })
        self.means = means
        self.volumes = volumes
        splitColumns = columns
    }

    /// Variance of the function's mean given the values in these columns.
    func marginalVariance(of columns: Range<Int>) -> Double {
        // The function is constant between the thresholds.
        let cells = columns.map { column -> [(middle: Double, size: Double)] in
            let thresholds = Set(
                tree.nodes.filter { $0.feature == column }.map(\.threshold)
            ).sorted()
            let edges = [bounds[column].low] + thresholds + [bounds[column].high]
            return zip(edges, edges.dropFirst()).map { (0.5 * ($0 + $1), $1 - $0) }
        }
        var values: [Double] = []
        var weights: [Double] = []
        var places = [Int](repeating: 0, count: cells.count)
        while true {
            let chosen = zip(cells, places).map { $0[$1] }
            let (value, weight) = marginal(at: chosen.map(\.middle), columns)
            values.append(value)
            weights.append(chosen.reduce(weight) { $0 * $1.size })
            // The next combination, the last column fastest.
            guard let column = places.indices.last(where: { places[$0] + 1 < cells[$0].count })
            else { break }
            places[column] += 1
            for later in places.indices where later > column { places[later] = 0 }
        }
        return weightedVariance(values, weights)
    }

    /// Mean of the function over the other columns, and the volume that it is the mean of.
    private func marginal(at point: [Double], _ columns: Range<Int>) -> (Double, Double) {
        var sum = 0.0
        var weightSum = 0.0
        // Nodes with the box of the given columns.
        var pending = [(node: 0, box: Array(bounds[columns]))]
        while let (index, box) = pending.popLast() {
            let node = tree.nodes[index]
            if let feature = node.feature {
                if columns.contains(feature) {
                    let place = feature - columns.lowerBound
                    var next = box
                    if point[place] <= node.threshold {
                        next[place].high = node.threshold
                        pending.append((node.left, next))
                    } else {
                        next[place].low = node.threshold
                        pending.append((node.right, next))
                    }
                    continue
                }
                if splitColumns[index].contains(where: columns.contains) {
                    pending.append((node.left, box))
                    pending.append((node.right, box))
                    continue
                }
            }
            let weight = volumes[index] / box.reduce(1) { $0 * ($1.high - $1.low) }
            sum += means[index] * weight
            weightSum += weight
        }
        return (sum / weightSum, weightSum)
    }
}

private func weightedVariance(_ values: [Double], _ weights: [Double]) -> Double {
    let sum = weights.reduce(0, +)
    let mean = zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } / sum
    return zip(values, weights).reduce(0) { $0 + ($1.0 - mean) * ($1.0 - mean) * $1.1 } / sum
}
