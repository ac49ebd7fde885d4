import Glibc

/// Adafactor with the learning rate of the schedule: of a matrix's second moments it keeps the means of
/// rows and columns only.
///
///     β = 1 − t^(−0.8)          u = g² + 1e-30
///     r ← β r + (1 − β) · row means of u          c ← β c + (1 − β) · column means of u
///     U = g / √(r cᵀ / mean(r))          for vectors: v ← β v + (1 − β) u,  U = g / √v
///     w ← w (1 − lr λ) − lr · U / max(1, rms(U))
///
/// `optim = "adafactor"`, as transformers sets it up: no scaling by the parameters' size, no rates of
/// its own, no first moment. Source: Shazeer and Stern 2018, arXiv:1804.04235;
/// transformers.optimization.Adafactor. Checked by `AdamWTests` against transformers.
public final class Adafactor: Optimizer, @unchecked Sendable {
    public var groups: [ParameterGroup]
    public var steps = 0
    private let moments: [[Moments]]

    private enum Moments {
        case factored(rows: StateTensor, columns: StateTensor)
        case whole(StateTensor)

        init(_ parameter: Parameter) throws {
            let shape = parameter.shape
            guard shape.count == 2 else {
                self = .whole(try StateTensor(parameter, "exp_avg_sq"))
                return
            }
            self = .factored(
                rows: try StateTensor(parameter, "exp_avg_sq_row", shape: [shape[0]]),
                columns: try StateTensor(parameter, "exp_avg_sq_col", shape: [shape[1]]))
        }

        var tensors: [OptimizerTensor] {
            switch self {
            case .factored(let rows, let columns): [rows.tensor, columns.tensor]
            case .whole(let squares): [squares.tensor]
            }
        }
    }

    /// - Throws: when there is no memory for the moments.
    public init(groups: [ParameterGroup]) throws {
        self.groups = groups.map(\.trainable)
        moments = try self.groups.map { try $0.parameters.map(Moments.init) }
    }

    package func step(clip: Float, pool: WorkerPool?) {
        steps += 1
        // Means and norms are of whole tensors: each is one task.
        let tasks = zip(groups, moments).flatMap { group, moments in
            zip(group.parameters, moments).map { (group, $0, $1) }
        }
        func run(_ task: Int) {
            let (group, parameter, moments) = tasks[task]
            update(parameter, moments, group, clip)
        }
        guard let pool else {
            for task in tasks.indices { run(task) }
            return
        }
        pool.run(tasks.count) { task, _ in run(task) }
    }

    /// The smallest second moment; keeps roots of zero gradients finite.
    private static let floor: Float = 1e-30

    private func update(
        _ parameter: Parameter, _ moments: Moments, _ group: ParameterGroup, _ clip: Float
    ) {
        guard let gradient = parameter.gradient, parameter.count > 0 else { return }
        let fresh = Float(pow(Double(steps), -0.8))
        let old = Float(1 - pow(Double(steps), -0.8))
        let columns = parameter.shape.count == 2 ? parameter.shape[1] : parameter.count
        /// What a gradient in that row and column is multiplied by.
        var rowFactors: [Float] = [1]
        var columnFactors: [Float]
        switch moments {
        case .whole(let squares):
            columnFactors = (0..<columns).map { column in
                let slope = gradient[column] * clip
                let square = slope * slope + Self.floor
                squares.values[column] = old * squares.values[column] + fresh * square
                return 1 / squares.values[column].squareRoot()
            }
        case .factored(let rowState, let columnState):
            let rows = parameter.shape[0]
            var sums = [Double](repeating: 0, count: columns)
            var total = 0.0
            for row in 0..<rows {
                var sum = 0.0
                for column in 0..<columns {
                    let slope = gradient[row * columns + column] * clip
                    let square = Double(slope * slope + Self.floor)
                    sum += square
                    sums[column] += square
                }
                let mean = Float(sum / Double(columns))
                rowState.values[row] = old * rowState.values[row] + fresh * mean
                total += Double(rowState.values[row])
            }
            let mean = Float(total / Double(rows))
            rowFactors = (0..<rows).map { 1 / (rowState.values[$0] / mean).squareRoot() }
            columnFactors = (0..<columns).map { column in
                let mean = Float(sums[column] / Double(rows))
                columnState.values[column] = old * columnState.values[column] + fresh * mean
                return 1 / columnState.values[column].squareRoot()
            }
        }
        apply(parameter, gradient, group, clip, rowFactors, columnFactors)
    }

    private func apply(
        _ parameter: Parameter, _ gradient: UnsafeMutablePointer<Float>, _ group: ParameterGroup,
        _ clip: Float, _ rowFactors: [Float], _ columnFactors: [Float]
    ) {
        let columns = columnFactors.count
        func direction(_ row: Int, _ column: Int) -> Float {
            rowFactors[row] * columnFactors[column] * (gradient[row * columns + column] * clip)
        }
        var sum = 0.0
        for row in rowFactors.indices {
            for column in 0..<columns {
                let value = direction(row, column)
                sum += Double(value * value)
            }
        }
        let size = Float((sum / Double(parameter.count)).squareRoot())
        let rate = Float(group.learningRate) / max(1, size)
        let decay = Float(group.weightDecay * group.learningRate)
        let weights = parameter.value
        for row in rowFactors.indices {
            for column in 0..<columns {
                let index = row * columns + column
                weights[index] += -decay * weights[index] - rate * direction(row, column)
            }
        }
    }

    package var state: [OptimizerTensor] { moments.joined().flatMap(\.tensors) }

    package func stateWasRestored() {}
}
