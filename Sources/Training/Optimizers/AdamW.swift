import CKernels
import COpenBLAS
import Glibc

/// AdamW with decoupled weight decay.
///
///     w ← w · (1 − lr · λ)                          only if λ ≠ 0
///     m ← m + (1 − β₁)(g − m)          v ← β₂ v + (1 − β₂) g²
///     w ← w − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
///
/// All tensors are float32; scalars are computed in double and rounded to float32 once, as the fused
/// CPU kernel of torch does. One pass over the memory of each tensor, elements independent of each
/// other: the result is the same for any number of threads.
///
/// Rows of an embedding table that never had a gradient have m = v = 0 and would only be decayed;
/// they are passed over (λ = 0) or multiplied by the decay factor alone, with the same result bit by
/// bit. Source: Loshchilov and Hutter 2019, arXiv:1711.05101; torch.optim.AdamW(fused=True).
/// Checked by `AdamWTests` against torch.
public final class AdamW: Optimizer, @unchecked Sendable {
    public var groups: [ParameterGroup]
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    /// Updates made so far.
    public var steps = 0
    /// Moments per parameter, in the order of the groups.
    package private(set) var moments: [[Moments]]

    /// First and second moment of one parameter, zero at first.
    package final class Moments {
        let parameter: Parameter
        package let first: UnsafeMutablePointer<Float>
        package let second: UnsafeMutablePointer<Float>
        private let region: MemoryRegion
        /// Embedding tables: which rows ever had a gradient. The moments of others are zero.
        package var liveRows: [Bool]

        /// - place: of the moments in `region`, as many floats as ``room(_:)`` says.
        fileprivate init(_ parameter: Parameter, _ region: MemoryRegion, at place: Int) {
            self.parameter = parameter
            self.region = region
            first = region.floats + place
            second = first + Self.room(parameter) / 2
            liveRows =
                Self.areTracked(parameter)
                ? [Bool](repeating: false, count: parameter.shape[0]) : []
        }

        /// Each moment has cache lines of its own.
        fileprivate static func room(_ parameter: Parameter) -> Int {
            2 * ((parameter.count + 15) & ~15)
        }

        fileprivate static func areTracked(_ parameter: Parameter) -> Bool {
            parameter.touchedRows != nil && parameter.shape.count == 2
        }

        /// Moments of tracked parameters lie on zero pages of their own, where rows that never have
        /// a gradient cost no memory; those of all others side by side on large pages.
        fileprivate static func of(_ groups: [ParameterGroup]) throws -> [[Moments]] {
            let dense = groups.flatMap(\.parameters).filter { !areTracked($0) }
            let shared = try MemoryRegion.zeroed(
                floats: dense.reduce(0) { $0 + room($1) }, hugePages: true)
            var used = 0
            return try groups.map { group in
                try group.parameters.map { parameter in
                    if areTracked(parameter) {
                        let own = try MemoryRegion.zeroed(floats: room(parameter))
                        return Moments(parameter, own, at: 0)
                    }
                    defer { used += room(parameter) }
                    return Moments(parameter, shared, at: used)
                }
            }
        }
    }

    /// Parameters without a gradient buffer are left out, as torch skips `grad is None`.
    /// - Throws: when there is no memory for the moments.
    public init(groups: [ParameterGroup], beta1: Double, beta2: Double, epsilon: Double) throws {
        self.groups = groups.map(\.trainable)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        moments = try Moments.of(self.groups)
    }

    /// One update with every gradient multiplied by `clip` first (1: unclipped).
    ///
    /// Multiplying on the way gives the same bits as clipping in a pass of its own: it is the same
    /// float32 product, rounded the same way.
    package func step(clip: Float, pool: WorkerPool?) {
        steps += 1
        var tasks: [Task] = []
        for (group, moments) in zip(groups, moments) {
            let scalars = Scalars(self, group, clip: clip)
            for moment in moments { addTasks(moment, scalars, &tasks) }
        }
        guard let pool else {
            for task in tasks { task.run() }
            return
        }
        pool.run(tasks.count) { task, _ in tasks[task].run() }
    }

    package var state: [OptimizerTensor] {
        moments.joined().flatMap { moment in
            [("exp_avg", moment.first), ("exp_avg_sq", moment.second)].map { kind, values in
                OptimizerTensor(
                    name: "\(moment.parameter.qualifiedName).\(kind)",
                    shape: moment.parameter.shape, values: values, count: moment.parameter.count)
            }
        }
    }

    /// Rows whose moments are all zero may be passed over again.
    package func stateWasRestored() {
        for moment in moments.joined() where !moment.liveRows.isEmpty {
            let columns = moment.parameter.shape[1]
            for row in moment.liveRows.indices {
                moment.liveRows[row] = (row * columns..<(row + 1) * columns).contains {
                    moment.first[$0] != 0 || moment.second[$0] != 0
                }
            }
        }
    }

    /// The constants of one update, in float32.
    fileprivate struct Scalars {
        let decay: Float
        let clip: Float
        let keep1: Float
        let beta2: Float
        let keep2: Float
        let root: Float
        let stepSize: Float
        let epsilon: Float

        init(_ optimizer: AdamW, _ group: ParameterGroup, clip: Float) {
            let correction1 = 1 - pow(optimizer.beta1, Double(optimizer.steps))
            let correction2 = 1 - pow(optimizer.beta2, Double(optimizer.steps))
            decay =
                group.weightDecay == 0 ? 1 : Float(1 - group.learningRate * group.weightDecay)
            self.clip = clip
            keep1 = Float(1 - optimizer.beta1)
            beta2 = Float(optimizer.beta2)
            keep2 = Float(1 - optimizer.beta2)
            root = Float(correction2.squareRoot())
            stepSize = Float(group.learningRate / correction1)
            epsilon = Float(optimizer.epsilon)
        }
    }

    /// A piece of one tensor, small enough to share out and large enough to be worth it.
    fileprivate struct Task {
        let moment: Moments
        let range: Range<Int>
        let isLive: Bool
        let scalars: Scalars

        func run() {
            if isLive {
                apply()
            } else {
                let values = moment.parameter.value
                for index in range { values[index] *= scalars.decay }
            }
        }

        static let longest = 1 << 16
    }

    private func addTasks(_ moment: Moments, _ scalars: Scalars, _ tasks: inout [Task]) {
        func add(_ range: Range<Int>, isLive: Bool) {
            guard isLive || scalars.decay != 1 else { return }
            for start in stride(from: range.lowerBound, to: range.upperBound, by: Task.longest) {
                let end = min(start + Task.longest, range.upperBound)
                tasks.append(
                    Task(moment: moment, range: start..<end, isLive: isLive, scalars: scalars))
            }
        }
        let parameter = moment.parameter
        guard let touched = parameter.touchedRows, !moment.liveRows.isEmpty else {
            return add(0..<parameter.count, isLive: true)
        }
        for row in touched where moment.liveRows.indices.contains(Int(row)) {
            moment.liveRows[Int(row)] = true
        }
        let columns = parameter.shape[1]
        var row = 0
        while row < moment.liveRows.count {
            var end = row + 1
            while end < moment.liveRows.count, moment.liveRows[end] == moment.liveRows[row] {
                end += 1
            }
            add(row * columns..<end * columns, isLive: moment.liveRows[row])
            row = end
        }
    }
}

extension AdamW.Task {
    fileprivate func apply() {
        guard let gradient = moment.parameter.gradient else { return }
        let w = moment.parameter.value + range.lowerBound
        let g = gradient + range.lowerBound
        let m = moment.first + range.lowerBound
        let v = moment.second + range.lowerBound
        st_own_pages(m, range.count)
        st_own_pages(v, range.count)
        @inline(__always) func move(_ index: Int, _ end: Int) {
            var weight = load(w, index, end)
            let slope = load(g, index, end) * scalars.clip
            weight *= scalars.decay
            let first = load(m, index, end)
            let newFirst = first + scalars.keep1 * (slope - first)
            let second = load(v, index, end)
            let newSecond = scalars.beta2 * second + scalars.keep2 * slope * slope
            let denominator = st_square_root(newSecond) / scalars.root + scalars.epsilon
            weight -= scalars.stepSize * newFirst / denominator
            store(m, index, end, newFirst)
            store(v, index, end, newSecond)
            store(w, index, end, weight)
        }
        forEachLanes(range.count, move)
    }
}
