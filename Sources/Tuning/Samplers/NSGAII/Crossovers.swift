// How a child's numbers come from those of its parents.

import Glibc

/// Combines points of parents, given on the axes of `SearchSpaceTransform`.
///
/// Random numbers are used up in the order in which Optuna uses them.
public protocol Crossover: Sendable {
    var parentCount: Int { get }
    /// - parents: one point each. - bounds: ends of each axis. The child may lie outside; the
    ///   sampler then tries again.
    func cross(
        _ parents: [[Double]], bounds: [(low: Double, high: Double)], isMultiObjective: Bool,
        _ generator: inout NumpyRandomState
    ) -> [Double]
}

/// Each number from one parent or the other.
public struct UniformCrossover: Crossover, CustomStringConvertible {
    public var parentCount: Int { 2 }
    private let swappingProb: Double

    /// - swappingProb: of the second parent to be taken.
    public init(swappingProb: Double = 0.5) throws {
        guard swappingProb >= 0 && swappingProb <= 1 else {
            throw TuningError.sampler(
                problem: "`swapping_prob` must be a float value within the range [0.0, 1.0].")
        }
        self.swappingProb = swappingProb
    }

    public func cross(
        _ parents: [[Double]], bounds: [(low: Double, high: Double)], isMultiObjective: Bool,
        _ generator: inout NumpyRandomState
    ) -> [Double] {
        generator.doubles(bounds.count).enumerated().map { index, draw in
            parents[draw >= swappingProb ? 1 : 0][index]
        }
    }

    public var description: String { "UniformCrossover" }
}

/// Uniform in the box around both parents, widened on both sides.
///
/// Source: Eshelman and Schaffer 1993, doi:10.1016/B978-0-08-094832-4.50018-0.
public struct BLXAlphaCrossover: Crossover, CustomStringConvertible {
    public var parentCount: Int { 2 }
    private let alpha: Double

    /// - alpha: how much the box is widened, as a share of its width.
    public init(alpha: Double = 0.5) { self.alpha = alpha }

    public func cross(
        _ parents: [[Double]], bounds: [(low: Double, high: Double)], isMultiObjective: Bool,
        _ generator: inout NumpyRandomState
    ) -> [Double] {
        generator.doubles(bounds.count).enumerated().map { index, draw in
            let lowest = min(parents[0][index], parents[1][index])
            let highest = max(parents[0][index], parents[1][index])
            let margin = alpha * (highest - lowest)
            let low = lowest - margin
            let high = highest + margin
            return (high - low) * draw + low
        }
    }

    public var description: String { "BLXAlphaCrossover" }
}

/// Uniform in the simplex of three parents, expanded about its centre.
///
/// Source: Tsutsui, Yamamura and Higuchi 1999 (GECCO).
public struct SPXCrossover: Crossover, CustomStringConvertible {
    public var parentCount: Int { 3 }
    private let epsilon: Double?

    /// - epsilon: the expansion; `nil` is √(number of parameters + 2).
    public init(epsilon: Double? = nil) { self.epsilon = epsilon }

    public func cross(
        _ parents: [[Double]], bounds: [(low: Double, high: Double)], isMultiObjective: Bool,
        _ generator: inout NumpyRandomState
    ) -> [Double] {
        let count = parents.count
        let draws = generator.doubles(count - 1).enumerated().map { place, draw in
            pow(draw, 1 / Double(place + 1))
        }
        let expansion = epsilon ?? Double(bounds.count + 2).squareRoot()
        return bounds.indices.map { axis in
            var centre = 0.0
            for parent in parents { centre += parent[axis] }
            centre /= Double(count)
            let corners = parents.map { centre + expansion * ($0[axis] - centre) }
            var offset = 0.0
            for corner in 1..<count {
                offset = draws[corner - 1] * (corners[corner - 1] - corners[corner] + offset)
            }
            return corners[count - 1] + offset
        }
    }

    public var description: String { "SPXCrossover" }
}

/// What SBX and vSBX share: which of two children, or of the parents, gives each number.
private struct GeneChoice: Sendable {
    let uniformCrossoverProb: Double
    let useChildGeneProb: Double

    init(_ uniformCrossoverProb: Double, _ useChildGeneProb: Double) throws {
        guard uniformCrossoverProb >= 0 && uniformCrossoverProb <= 1 else {
            throw TuningError.sampler(
                problem: "The value of `uniform_crossover_prob` must be in the range [0.0, 1.0].")
        }
        guard useChildGeneProb > 0 && useChildGeneProb <= 1 else {
            throw TuningError.sampler(
                problem: "The value of `use_child_gene_prob` must be in the range (0.0, 1.0].")
        }
        self.uniformCrossoverProb = uniformCrossoverProb
        self.useChildGeneProb = useChildGeneProb
    }

    func choose(
        _ children: ([Double], [Double]), _ parents: [[Double]],
        _ generator: inout NumpyRandomState
    ) -> [Double] {
        var first: [Double] = []
        var second: [Double] = []
        for index in children.0.indices {
            let isChild = generator.double() < useChildGeneProb
            let pair =
                isChild
                ? (children.0[index], children.1[index]) : (parents[0][index], parents[1][index])
            let isStraight = generator.double() >= uniformCrossoverProb
            first.append(isStraight ? pair.0 : pair.1)
            second.append(isStraight ? pair.1 : pair.0)
        }
        return generator.double() < 0.5 ? first : second
    }
}

private func checkedEta(_ eta: Double?) throws -> Double? {
    if let eta, eta < 0 {
        throw TuningError.sampler(
            problem: "The value of `eta` must be greater than or equal to 0.0.")
    }
    return eta
}

/// Simulated binary crossover: around the parents, within the bounds.
///
/// Source: Deb and Agrawal 1995 (Complex Systems 9).
public struct SBXCrossover: Crossover, CustomStringConvertible {
    public var parentCount: Int { 2 }
    private let eta: Double?
    private let genes: GeneChoice

    /// - eta: the larger, the nearer to the parents; `nil` is 2, or 20 with several objectives.
    /// - uniformCrossoverProb: of exchanging a number between the two children.
    /// - useChildGeneProb: of taking a number from a child and not from a parent.
    public init(
        eta: Double? = nil, uniformCrossoverProb: Double = 0.5, useChildGeneProb: Double = 0.5
    ) throws {
        self.eta = try checkedEta(eta)
        genes = try GeneChoice(uniformCrossoverProb, useChildGeneProb)
    }

    public func cross(
        _ parents: [[Double]], bounds: [(low: Double, high: Double)], isMultiObjective: Bool,
        _ generator: inout NumpyRandomState
    ) -> [Double] {
        let eta = eta ?? (isMultiObjective ? 20 : 2)
        let draws = generator.doubles(bounds.count)
        var first: [Double] = []
        var second: [Double] = []
        for (axis, draw) in draws.enumerated() {
            let low = min(parents[0][axis], parents[1][axis])
            let high = max(parents[0][axis], parents[1][axis])
            let distance = max(high - low, 1e-10)
            func spread(_ room: Double) -> Double {
                let alpha = 2 - pow(1 + 2 * room / distance, -(eta + 1))
                return draw > 1 / alpha
                    ? pow(1 / (2 - draw * alpha), 1 / (eta + 1)) : pow(draw * alpha, 1 / (eta + 1))
            }
            first.append(0.5 * ((low + high) - spread(low - bounds[axis].low) * distance))
            second.append(0.5 * ((low + high) + spread(bounds[axis].high - high) * distance))
        }
        return genes.choose((first, second), parents, &generator)
    }

    public var description: String { "SBXCrossover" }
}

/// A variant of SBX that reaches every point.
///
/// Source: Ballester and Carter 2001, doi:10.1007/3-540-45105-6_86.
public struct VSBXCrossover: Crossover, CustomStringConvertible {
    public var parentCount: Int { 2 }
    private let eta: Double?
    private let genes: GeneChoice

    /// The parameters are those of ``SBXCrossover``.
    public init(
        eta: Double? = nil, uniformCrossoverProb: Double = 0.5, useChildGeneProb: Double = 0.5
    ) throws {
        self.eta = try checkedEta(eta)
        genes = try GeneChoice(uniformCrossoverProb, useChildGeneProb)
    }

    public func cross(
        _ parents: [[Double]], bounds: [(low: Double, high: Double)], isMultiObjective: Bool,
        _ generator: inout NumpyRandomState
    ) -> [Double] {
        let eta = eta ?? (isMultiObjective ? 20 : 2)
        let tiny = 1e-10
        let draws = generator.doubles(bounds.count)
        let inner = draws.map { pow(1 / max(2 * $0, tiny), 1 / (eta + 1)) }
        let outer = draws.map { pow(1 / max(2 * (1 - $0), tiny), 1 / (eta + 1)) }
        let isFirstPlain = generator.double() <= 0.5
        let first = bounds.indices.map { axis -> Double in
            let (x, y) = (parents[0][axis], parents[1][axis])
            return isFirstPlain
                ? 0.5 * ((1 + inner[axis]) * x + (1 - outer[axis]) * y)
                : 0.5 * ((1 - inner[axis]) * x + (1 + outer[axis]) * y)
        }
        let isSecondPlain = generator.double() <= 0.5
        let second = bounds.indices.map { axis -> Double in
            let (x, y) = (parents[0][axis], parents[1][axis])
            return isSecondPlain
                ? 0.5 * ((3 - inner[axis]) * x - (1 - outer[axis]) * y)
                : 0.5 * (-(1 - inner[axis]) * x + (3 - outer[axis]) * y)
        }
        return genes.choose((first, second), parents, &generator)
    }

    public var description: String { "VSBXCrossover" }
}

/// Normal around the middle of two parents; how far off their line, the third one tells.
///
/// Source: Ono and Kobayashi 1999, doi:10.1109/CEC.1999.782672.
public struct UNDXCrossover: Crossover, CustomStringConvertible {
    public var parentCount: Int { 3 }
    private let sigmaXi: Double
    private let sigmaEta: Double?

    /// - sigmaXi: spread along the line of the first two parents.
    /// - sigmaEta: across it; `nil` is 0.35 / √(number of parameters).
    public init(sigmaXi: Double = 0.5, sigmaEta: Double? = nil) {
        self.sigmaXi = sigmaXi
        self.sigmaEta = sigmaEta
    }

    public func cross(
        _ parents: [[Double]], bounds: [(low: Double, high: Double)], isMultiObjective: Bool,
        _ generator: inout NumpyRandomState
    ) -> [Double] {
        let count = bounds.count
        let sigmaEta = sigmaEta ?? 0.35 / Double(count).squareRoot()
        let etas = (0..<count).map { _ in sigmaEta * sigmaEta * generator.standardNormal() }
        let xi = sigmaXi * sigmaXi * generator.standardNormal()
        var child = bounds.indices.map { axis in
            (parents[0][axis] + parents[1][axis]) / 2
                + xi * (parents[0][axis] - parents[1][axis])
        }
        if count == 1 { return child }
        let line = bounds.indices.map { parents[1][$0] - parents[0][$0] }
        let length = max(norm(line), 1e-10)
        let unit = line.map { $0 / length }
        let third = bounds.indices.map { parents[2][$0] - parents[0][$0] }
        let along = zip(third, unit).reduce(0) { $0 + $1.0 * $1.1 }
        let distance = norm(bounds.indices.map { third[$0] - along * unit[$0] })
        let basis = orthonormalBasis(firstDirection: unit)
        for axis in bounds.indices {
            var sum = 0.0
            for place in 0..<(count - 1) { sum += etas[place] * basis[place + 1][axis] }
            child[axis] += sum * distance
        }
        return child
    }

    private func norm(_ vector: [Double]) -> Double {
        vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }

    /// The columns of Q in the QR decomposition of (direction, e₂, …, eₙ), with LAPACK's signs; of
    /// the identity if the direction is 0.
    private func orthonormalBasis(firstDirection: [Double]) -> [[Double]] {
        let count = firstDirection.count
        // columns[j][i], reduced to R step by step.
        var columns = (0..<count).map { column in
            (0..<count).map { $0 == column ? 1.0 : 0 }
        }
        if firstDirection.contains(where: { $0 != 0 }) { columns[0] = firstDirection }
        var reflectors: [(vector: [Double], factor: Double)] = []
        for step in 0..<count {
            let head = columns[step][step]
            let tail = norm(Array(columns[step][(step + 1)...]))
            var vector = [Double](repeating: 0, count: count)
            vector[step] = 1
            var factor = 0.0
            if tail != 0 {
                let size = hypot(head, tail)
                let target = head < 0 ? size : -size
                factor = (target - head) / target
                for row in (step + 1)..<count {
                    vector[row] = columns[step][row] / (head - target)
                }
            }
            reflectors.append((vector, factor))
            for column in step..<count {
                columns[column] = reflect(columns[column], vector, factor)
            }
        }
        return (0..<count).map { column in
            var unit = [Double](repeating: 0, count: count)
            unit[column] = 1
            return reflectors.reversed().reduce(unit) { reflect($0, $1.vector, $1.factor) }
        }
    }

    private func reflect(_ point: [Double], _ vector: [Double], _ factor: Double) -> [Double] {
        let dot = zip(point, vector).reduce(0) { $0 + $1.0 * $1.1 }
        return zip(point, vector).map { $0 - factor * dot * $1 }
    }

    public var description: String { "UNDXCrossover" }
}

/// Moves a number a little, more rarely far, and never out of its bounds.
///
/// Source: Deb and Deb 2014, doi:10.1504/IJAISC.2014.059280.
public struct PolynomialMutation: Sendable {
    private let eta: Double

    /// - eta: the larger, the smaller the steps.
    public init(eta: Double = 20) throws {
        guard eta >= 0 else {
            throw TuningError.sampler(problem: "`eta` must be a non-negative float value.")
        }
        self.eta = eta
    }

    func mutate(
        _ value: Double, low: Double, high: Double, _ generator: inout NumpyRandomState
    ) -> Double {
        let draw = generator.double()
        let width = high - low
        if width <= 0 { return value }
        let power = 1 / (eta + 1)
        if draw <= 0.5 {
            let rest = 1 - (value - low) / width
            let base = 2 * draw + (1 - 2 * draw) * pow(rest, eta + 1)
            return value + (pow(base, power) - 1) * width
        }
        let rest = 1 - (high - value) / width
        let base = 2 * (1 - draw) + 2 * (draw - 0.5) * pow(rest, eta + 1)
        return value + (1 - pow(base, power)) * width
    }
}
