// A forest of regression trees, grown with scikit-learn's random numbers.

/// A regression tree; node 0 is the root, children come after their parents.
struct RegressionTree: Sendable {
    struct Node: Sendable {
        /// Column that the node splits on; `nil` for a leaf.
        var feature: Int?
        /// Points at or below it go left.
        var threshold = 0.0
        var left = 0
        var right = 0
        /// Weighted mean of the targets.
        var value: Double
        /// Weighted variance of the targets.
        var impurity: Double
        /// Sum of the weights.
        var weight: Double
    }

    var nodes: [Node] = []

    /// How much each column's splits lower the impurity, adding up to 1; `nil` for a lone leaf.
    func featureImportances(_ featureCount: Int) -> [Double]? {
        if nodes.count <= 1 { return nil }
        var importances = [Double](repeating: 0, count: featureCount)
        for node in nodes {
            guard let feature = node.feature else { continue }
            let (left, right) = (nodes[node.left], nodes[node.right])
            importances[feature] +=
                node.weight * node.impurity - left.weight * left.impurity
                - right.weight * right.impurity
        }
        let sum = importances.reduce(0, +)
        return sum > 0 ? importances.map { $0 / sum } : importances
    }
}

/// Grows trees on bootstrap samples, all columns considered at each split, to pure leaves.
///
/// Seeds, samples and the order in which columns are tried are those of scikit-learn's
/// `RandomForestRegressor`, so that a seed gives the same forest.
/// Source: Breiman 2001, doi:10.1023/A:1010933404324. Checked by `ImportanceTests`.
func randomForest(
    _ points: [[Double]], _ targets: [Double], treeCount: Int, maxDepth: Int, seed: UInt32?
) -> [RegressionTree] {
    var generator = NumpyRandomState.make(seed: seed)
    // scikit-learn compares in single precision.
    let points = points.map { $0.map { Float($0) } }
    return (0..<treeCount).map { _ in
        let treeSeed = UInt32(generator.integer(0, Int(Int32.max)))
        var sampler = NumpyRandomState(seed: treeSeed)
        var weights = [Double](repeating: 0, count: points.count)
        for _ in points.indices { weights[sampler.choice(points.count)] += 1 }
        var splitGenerator = NumpyRandomState(seed: treeSeed)
        var grower = TreeGrower(
            points: points, targets: targets, weights: weights, maxDepth: maxDepth,
            randomState: UInt32(splitGenerator.integer(0, Int(Int32.max))))
        return grower.grow()
    }
}

/// Grows one tree, depth first.
///
/// Where two splits separate the same points, rounding decides between them, so sums are formed in
/// scikit-learn's order: samples are permuted in place by its sort and its partition.
private struct TreeGrower {
    let points: [[Float]]
    let targets: [Double]
    let weights: [Double]
    let maxDepth: Int
    var randomState: UInt32
    /// Samples of the bootstrap; a node owns a range of them.
    var samples: [Int]
    /// Values of the column at hand, by place in `samples`.
    var values: [Float]
    /// All columns; the first ones are constant in the node at hand.
    var features: [Int]
    var constantFeatures: [Int]
    let totalWeight: Double

    /// Columns closer than this are constant.
    private static let featureThreshold: Float = 1e-7

    init(
        points: [[Float]], targets: [Double], weights: [Double], maxDepth: Int,
        randomState: UInt32
    ) {
        self.points = points
        self.targets = targets
        self.weights = weights
        self.maxDepth = maxDepth
        self.randomState = randomState
        samples = points.indices.filter { weights[$0] > 0 }
        values = Array(repeating: 0, count: samples.count)
        features = Array((points.first ?? []).indices)
        constantFeatures = features
        totalWeight = weights.reduce(0, +)
    }

    private struct Pending {
        var range: Range<Int>
        var depth: Int
        var constantCount: Int
        /// `nil` for the root.
        var impurity: Double?
        /// Parent and whether this is its left child.
        var parent: (node: Int, isLeft: Bool)?
    }

    private struct Split {
        var feature: Int
        var threshold: Double
        var place: Int
    }

    mutating func grow() -> RegressionTree {
        var tree = RegressionTree()
        var pending = [Pending(range: samples.indices, depth: 0, constantCount: 0)]
        while let next = pending.popLast() {
            let index = tree.nodes.count
            if let (parent, isLeft) = next.parent {
                if isLeft {
                    tree.nodes[parent].left = index
                } else {
                    tree.nodes[parent].right = index
                }
            }
            let sums = SplitSums(self, next.range)
            let impurity = next.impurity ?? sums.impurity
            tree.nodes.append(
                RegressionTree.Node(
                    value: sums.total / sums.weight, impurity: impurity, weight: sums.weight))
            if next.depth >= maxDepth || next.range.count < 2 || impurity <= Double.ulpOfOne {
                continue
            }
            var constantCount = next.constantCount
            guard let split = bestSplit(next.range, sums, &constantCount) else { continue }
            partition(next.range, split)
            let (left, right, gain) = childImpurities(next.range, split, sums, impurity)
            if gain + Double.ulpOfOne < 0 { continue }
            tree.nodes[index].feature = split.feature
            tree.nodes[index].threshold = split.threshold
            // The left one is taken first.
            pending.append(
                Pending(
                    range: split.place..<next.range.upperBound, depth: next.depth + 1,
                    constantCount: constantCount, impurity: right, parent: (index, false)))
            pending.append(
                Pending(
                    range: next.range.lowerBound..<split.place, depth: next.depth + 1,
                    constantCount: constantCount, impurity: left, parent: (index, true)))
        }
        return tree
    }

    /// The split that lowers the variance most, trying the columns in random order.
    private mutating func bestSplit(
        _ range: Range<Int>, _ sums: SplitSums, _ constantCount: inout Int
    ) -> Split? {
        let known = constantCount
        var found = 0
        var drawn = 0
        var total = known
        var rest = features.count
        var best: Split?
        var bestGain = -Double.infinity
        while rest > total {
            var place = drawn + Int(nextRandom()) % (rest - found - drawn)
            if place < known {
                features.swapAt(drawn, place)
                drawn += 1
                continue
            }
            place += found
            let feature = features[place]
            for index in range { values[index] = points[samples[index]][feature] }
            sort(
                range.lowerBound, range.count,
                2 * (Int.bitWidth - 1 - range.count.leadingZeroBitCount))
            if values[range.upperBound - 1] <= values[range.lowerBound] + Self.featureThreshold {
                features.swapAt(place, total)
                found += 1
                total += 1
                continue
            }
            rest -= 1
            features.swapAt(rest, place)
            var moving = sums
            for index in range.dropFirst()
            where values[index] > values[index - 1] + Self.featureThreshold {
                moving.move(to: index, self)
                if moving.gain > bestGain {
                    bestGain = moving.gain
                    best = Split(
                        feature: feature,
                        threshold: Double(values[index - 1]) / 2 + Double(values[index]) / 2,
                        place: index)
                }
            }
        }
        features.replaceSubrange(0..<known, with: constantFeatures[0..<known])
        constantFeatures.replaceSubrange(
            known..<(known + found), with: features[known..<(known + found)])
        constantCount = total
        return best
    }

    private mutating func partition(_ range: Range<Int>, _ split: Split) {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end {
            if Double(points[samples[start]][split.feature]) <= split.threshold {
                start += 1
            } else {
                end -= 1
                samples.swapAt(start, end)
            }
        }
    }

    /// Variances of both children and how much lower they are together.
    private func childImpurities(
        _ range: Range<Int>, _ split: Split, _ sums: SplitSums, _ impurity: Double
    ) -> (left: Double, right: Double, gain: Double) {
        var moving = sums
        moving.move(to: split.place, self)
        var leftSquares = 0.0
        for index in range.lowerBound..<split.place {
            let target = targets[samples[index]]
            leftSquares += weights[samples[index]] * target * target
        }
        let leftMean = moving.left / moving.leftWeight
        let rightMean = moving.right / moving.rightWeight
        let left = leftSquares / moving.leftWeight - leftMean * leftMean
        let right = (sums.squares - leftSquares) / moving.rightWeight - rightMean * rightMean
        let gain =
            sums.weight / totalWeight
            * (impurity - moving.rightWeight / sums.weight * right
                - moving.leftWeight / sums.weight * left)
        return (left, right, gain)
    }

    // MARK: Order

    /// Sorts values and samples together: a quicksort with three parts, insertion below 16.
    private mutating func sort(_ first: Int, _ length: Int, _ depth: Int) {
        var first = first
        var length = length
        var depth = depth
        while length > 15 && depth > 0 {
            depth -= 1
            let pivot = medianOfThree(first, length)
            var index = first
            var less = first
            var greater = first + length
            while index < greater {
                if values[index] < pivot {
                    swap(index, less)
                    index += 1
                    less += 1
                } else if values[index] > pivot {
                    greater -= 1
                    swap(index, greater)
                } else {
                    index += 1
                }
            }
            sort(first, less - first, depth)
            length -= greater - first
            first = greater
        }
        // Beyond the depth, where scikit-learn takes a heap sort, this is slow and as good.
        for index in (first + 1)..<max(first + length, first + 1) {
            var place = index
            while place > first && values[place - 1] > values[place] {
                swap(place - 1, place)
                place -= 1
            }
        }
    }

    private func medianOfThree(_ first: Int, _ length: Int) -> Float {
        let (a, b, c) = (values[first], values[first + length / 2], values[first + length - 1])
        if a < b { return b < c ? b : a < c ? c : a }
        return b < c ? (a < c ? a : c) : b
    }

    private mutating func swap(_ left: Int, _ right: Int) {
        values.swapAt(left, right)
        samples.swapAt(left, right)
    }

    /// A xorshift generator, kept within 31 bits.
    private mutating func nextRandom() -> UInt32 {
        if randomState == 0 { randomState = 1 }
        randomState ^= randomState << 13
        randomState ^= randomState >> 17
        randomState ^= randomState << 5
        return randomState & 0x7fff_ffff
    }

    /// Weighted sums of a node's targets on both sides of a moving place.
    private struct SplitSums {
        let range: Range<Int>
        var total = 0.0
        var squares = 0.0
        var weight = 0.0
        private(set) var left = 0.0
        private(set) var right = 0.0
        private(set) var leftWeight = 0.0
        private(set) var rightWeight = 0.0
        private var place: Int

        init(_ grower: TreeGrower, _ range: Range<Int>) {
            self.range = range
            place = range.lowerBound
            for index in range {
                let sample = grower.samples[index]
                let product = grower.weights[sample] * grower.targets[sample]
                total += product
                squares += product * grower.targets[sample]
                weight += grower.weights[sample]
            }
        }

        /// Variance of the targets.
        var impurity: Double { squares / weight - (total / weight) * (total / weight) }

        /// The larger, the better the split.
        var gain: Double { left * left / leftWeight + right * right / rightWeight }

        /// From where the way is shorter: the last place or the end.
        mutating func move(to new: Int, _ grower: TreeGrower) {
            if new - place <= range.upperBound - new {
                for index in place..<new {
                    let sample = grower.samples[index]
                    left += grower.weights[sample] * grower.targets[sample]
                    leftWeight += grower.weights[sample]
                }
            } else {
                left = total
                leftWeight = weight
                for index in (new..<range.upperBound).reversed() {
                    let sample = grower.samples[index]
                    left -= grower.weights[sample] * grower.targets[sample]
                    leftWeight -= grower.weights[sample]
                }
            }
            rightWeight = weight - leftWeight
            right = total - left
            place = new
        }
    }
}
