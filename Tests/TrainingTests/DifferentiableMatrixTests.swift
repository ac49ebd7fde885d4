import Foundation
import OrderedJSON
import Testing
import Training

/// What Golden/autograd.json (scripts/golden/autograd.py) calls by name: the same operation here.
private typealias Operation = @Sendable ([DifferentiableMatrix]) throws -> DifferentiableMatrix
private typealias D = DifferentiableMatrix

private let targets = [3, 0, 4, 1, 1]

private let elementwise: [String: Operation] = [
    "exp": { try $0[0].exp() }, "exp ends": { try $0[0].exp() }, "log": { try $0[0].log() },
    "sqrt": { try $0[0].sqrt() }, "abs": { try $0[0].abs() }, "abs ties": { try $0[0].abs() },
    "relu": { try $0[0].relu() }, "relu ties": { try $0[0].relu() }, "tanh": { try $0[0].tanh() },
    "tanh ends": { try $0[0].tanh() }, "sigmoid": { try $0[0].sigmoid() },
    "sigmoid ends": { try $0[0].sigmoid() }, "softplus": { try $0[0].softplus() },
    "softplus ends": { try $0[0].softplus() }, "neg": { try $0[0].negated() },
    "clamp": { try $0[0].clamp(lower: -0.5, upper: 0.7) },
    "clamp ties": { try $0[0].clamp(lower: 0, upper: 2) },
    "clamp min": { try $0[0].clamp(lower: 0.1) },
    "pow 2": { try $0[0].pow(2) }, "pow 3": { try $0[0].pow(3) }, "pow 0.5": { try $0[0].pow(0.5) },
    "pow -1": { try $0[0].pow(-1) }, "pow 1.7": { try $0[0].pow(1.7) },
    "pow 0": { try $0[0].pow(0) },
    "add": { try $0[0].add($0[1]) }, "add row": { try $0[0].add($0[1]) },
    "add column": { try $0[0].add($0[1]) }, "add outer": { try $0[0].add($0[1]) },
    "add one": { try $0[0].add($0[1]) }, "add number": { try $0[0].add(D(2.5)) },
    "sub": { try $0[0].sub($0[1]) }, "sub column": { try $0[0].sub($0[1]) },
    "sub outer": { try $0[0].sub($0[1]) }, "sub number": { try $0[0].sub(D(2.5)) },
    "number sub": { try D(2.5).sub($0[0]) },
    "mul": { try $0[0].mul($0[1]) }, "mul row": { try $0[0].mul($0[1]) },
    "mul column": { try $0[0].mul($0[1]) }, "mul self": { try $0[0].mul($0[0]) },
    "mul number": { try $0[0].mul(D(-3)) },
    "div": { try $0[0].div($0[1]) }, "div row": { try $0[0].div($0[1]) },
    "div column": { try $0[0].div($0[1]) }, "div number": { try $0[0].div(D(3)) },
    "maximum": { try $0[0].maximum($0[1]) }, "maximum number": { try $0[0].maximum(D(2)) },
    "minimum": { try $0[0].minimum($0[1]) }, "minimum self": { try $0[0].minimum($0[0]) },
    "where": { try D.where($0[0].compare(.gt, D(0.2)), $0[0], $0[1]) },
    "where column": { try D.where($0[0].compare(.gt, D(0)), $0[0], $0[1]) },
    "masked_fill": { try $0[0].maskedFill($0[0].compare(.lt, D(0)), 7) },
    "detach": { try $0[0].detach().mul($0[1]).add($0[0]) },
]

private let structural: [String: Operation] = [
    "matmul": { try $0[0].matmul($0[1]) },
    "matmul t": { try $0[0].matmul($0[1].transpose()) },
    "matmul self": { try $0[0].matmul($0[0]) }, "dot_score": { try $0[0].dotScores($0[1]) },
    "dot_score self": { try $0[0].dotScores($0[0]) }, "transpose": { try $0[0].transpose() },
    "normalize": { try $0[0].normalize() }, "cos_sim": { try $0[0].cosineSimilarity($0[1]) },
    "pairwise_dot_score": { try $0[0].pairwiseDot($0[1]) },
    "pairwise_cos_sim": { try $0[0].pairwiseCosine($0[1]) },
    "sum": { try $0[0].sum() }, "sum rows": { try $0[0].sum(.rows) },
    "sum columns": { try $0[0].sum(.columns) }, "mean": { try $0[0].mean() },
    "mean rows": { try $0[0].mean(.rows) }, "mean columns": { try $0[0].mean(.columns) },
    "max": { try $0[0].max() }, "min": { try $0[0].min() },
    "max rows": { try $0[0].max(.rows) }, "max columns": { try $0[0].max(.columns) },
    "min rows": { try $0[0].min(.rows) }, "min columns": { try $0[0].min(.columns) },
    "norm": { try $0[0].norm() }, "norm rows": { try $0[0].norm(.rows) },
    "norm columns": { try $0[0].norm(.columns) },
    "norm zero": { try $0[0].mul(D(0)).norm(.columns) },
    "softmax rows": { try $0[0].softmax(.rows) },
    "softmax columns": { try $0[0].softmax(.columns) },
    "log_softmax rows": { try $0[0].logSoftmax(.rows) },
    "log_softmax columns": { try $0[0].logSoftmax(.columns) },
    "log_softmax ends": { try $0[0].logSoftmax(.columns) },
    "euclidean_sim": { try $0[0].distances($0[1], .euclidean) },
    "euclidean_sim self": { try $0[0].distances($0[0], .euclidean) },
    "manhattan_sim": { try $0[0].distances($0[1], .manhattan) },
    "manhattan_sim self": { try $0[0].distances($0[0], .manhattan) },
    "topk": { try $0[0].topk(4).values },
    "topk smallest": { try $0[0].topk(3, largest: false).values },
    "logsumexp": { try $0[0].logsumexp() }, "logsumexp rows": { try $0[0].logsumexp(.rows) },
    "logsumexp columns": { try $0[0].logsumexp(.columns) },
    "logsumexp masked": { try masked($0[0]).logsumexp(.columns) },
    "cross_entropy": { try $0[0].crossEntropy(targets) },
    "cross_entropy sum": { try $0[0].crossEntropy(targets, reduction: .sum) },
    "cross_entropy none": { try $0[0].crossEntropy(targets, reduction: .none) },
    "cross_entropy smooth": { try $0[0].crossEntropy(targets, labelSmoothing: 0.1) },
    "slice": { try $0[0].slice(rows: 1..<4, columns: 2..<17) },
    "index_select rows": { try $0[0].indexSelect(.rows, [4, 0, 0, 2]) },
    "index_select columns": { try $0[0].indexSelect(.columns, [18, 3, 3]) },
    "gather": { try $0[0].gather([[3, 3], [0, 18], [4, 2], [1, 1], [9, 8]]) },
    "diagonal": { try $0[0].diagonal() }, "diagonal wide": { try $0[0].diagonal() },
    "reshape": { try $0[0].reshape(rows: 19, columns: 5) }, "cat rows": { try D.concat($0) },
    "cat columns": { try D.concat($0, .columns) }, "cat self": { try D.concat([$0[0], $0[0]]) },
]

private let losses: [String: Operation] = [
    "MultipleNegativesRankingLoss": {
        try $0[0].cosineSimilarity($0[1]).mul(D(20)).crossEntropy([0, 1, 2, 3, 4])
    },
    "symmetric InfoNCE": {
        let scores = try $0[0].cosineSimilarity($0[1]).mul(D(20))
        let there = try scores.crossEntropy([0, 1, 2, 3, 4])
        return try there.add(scores.transpose().crossEntropy([0, 1, 2, 3, 4])).div(D(2))
    },
    "CosineSimilarityLoss": { try $0[0].pairwiseCosine($0[1]).sub(scores).pow(2).mean() },
    "CoSENTLoss": {
        let s = try $0[0].pairwiseCosine($0[1]).mul(D(20))
        let isOrdered = try scores.compare(.lt, scores.transpose())
        let differences = try s.sub(s.transpose()).add(D(1).sub(isOrdered).mul(D(-1e12)))
        return try D.concat([D(0), differences.reshape(rows: 1, columns: 25)], .columns).logsumexp()
    },
    "ContrastiveLoss": {
        let distance = try D(1).sub($0[0].pairwiseCosine($0[1]))
        let far = try D(1).sub(binary).mul(D(0.5).sub(distance).relu().pow(2))
        return try binary.mul(distance.pow(2)).add(far).mul(D(0.5)).mean()
    },
    "TripletLoss": {
        let near = try $0[0].sub($0[1]).norm(.columns)
        return try near.sub($0[0].sub($0[2]).norm(.columns)).add(D(5)).relu().mean()
    },
    "MarginMSELoss": {
        let margin = try $0[0].pairwiseDot($0[1]).sub($0[0].pairwiseDot($0[2]))
        return try margin.sub(scores).pow(2).mean()
    },
    "supervised contrastive": {
        let e = try D.concat($0).normalize()
        let labels = try D.concat([binary, binary])
        let itself = identity(10)
        let same = try labels.compare(.eq, labels.transpose()).mul(D(1).sub(itself))
        let logits = try e.dotScores(e).div(D(0.1)).maskedFill(itself, -.infinity)
        let logp = try logits.sub(logits.logsumexp(.columns))
        let kept = try D.where(same, logp, D(0)).sum(.columns)
        return try kept.div(same.sum(.columns)).mean().negated()
    },
    "alignment and uniformity": {
        let e = try $0[0].normalize()
        let align = try $0[1].normalize().sub(e).pow(2).sum(.columns).mean()
        let squared = try D(2).sub(e.dotScores(e).mul(D(2)))
        return try align.add(squared.mul(D(-2)).exp().mean().log())
    },
    "BatchHardSoftMarginTripletLoss": {
        let e = try D.concat($0)
        let labels = try D.concat([binary, binary])
        let squares = try e.mul(e).sum(.columns)
        let squared = try squares.sub(e.dotScores(e).mul(D(2))).add(squares.transpose())
        let itself = identity(10)
        let distance = try squared.clamp(lower: 0).add(itself).sqrt().mul(D(1).sub(itself))
        let same = try labels.compare(.eq, labels.transpose())
        let furthest = try distance.mul(same).max(.columns)
        let closest = try distance.add(distance.max().mul(same)).min(.columns)
        return try furthest.sub(closest).softplus().mean()
    },
    "distillation": {
        let teacher = try $0[1].cosineSimilarity($0[1]).detach().div(D(0.2)).softmax(.columns)
        let student = try $0[0].cosineSimilarity($0[0]).div(D(0.2)).logSoftmax(.columns)
        return try teacher.mul(student).sum(.columns).mean().negated()
    },
    "SoftmaxLoss": { try $0[0].sub($0[1]).abs().matmul($0[2]).crossEntropy([0, 2, 1, 1, 0]) },
]

private var scores: D { column([0.9, 0.1, 0.5, 0.5, 0.3]) }
private var binary: D { column([1, 0, 1, 1, 0]) }

private func column(_ values: [Float]) -> D { D(matrix(values.map { [$0] })) }

private func identity(_ size: Int) -> D {
    let result = Matrix(rows: size, columns: size)
    for index in 0..<size { result[index, index] = 1 }
    return D(result)
}

private func masked(_ x: D) throws -> D { try x.maskedFill(identity(x.rows), -.infinity) }

private func matrix(_ rows: [[Float]]) -> Matrix {
    let result = Matrix(rows: rows.count, columns: rows.first?.count ?? 0)
    for (row, values) in rows.enumerated() {
        for (column, value) in values.enumerated() { result[row, column] = value }
    }
    return result
}

private func matrix(_ json: JSONValue?) throws -> Matrix {
    matrix(
        try #require(json?.arrayValue).map { row in
            try #require(row.arrayValue).map { value in
                if let text = value.stringValue { return try #require(Float(text)) }
                return Float(try #require(value.doubleValue))
            }
        })
}

@Suite struct DifferentiableMatrixTests {
    @Test func `values and gradients of every operation and composed loss are torch's`() throws {
        let golden = try Golden.json("autograd.json")
        let known = elementwise.merging(structural) { first, _ in first }
            .merging(losses) { first, _ in first }
        let cases = try #require(golden["cases"]?.arrayValue)
        #expect(Set(cases.compactMap { $0["name"]?.stringValue }) == Set(known.keys))
        for json in cases {
            let name = try #require(json["name"]?.stringValue)
            let operation = try #require(known[name])
            let tape = Tape()
            let inputs = try #require(json["inputs"]?.strings).map {
                tape.variable(try matrix(golden["inputs"]?[$0]))
            }
            let value = try operation(inputs)
            // exp at both ends spans all of float32, so absolute differences mean nothing there.
            let isLoss = json["kind"]?.stringValue == "loss"
            let difference = firstDifference(
                value.value.values, try matrix(json["value"]).values,
                relative: isLoss ? 2e-6 : 3e-6, absolute: 1e-6)
            #expect(difference == nil, "value of \(name): \(difference ?? "")")
            let weights = D(try matrix(json["weights"]))
            let total = try value.mul(weights).sum()
            if !total.isTracked {
                Issue.record("\(name) is not tracked")
                continue
            }
            try tape.backward(from: total)
            let gradients = try #require(json["gradients"]?.arrayValue)
            for (index, input) in inputs.enumerated() {
                let zero = Matrix(rows: input.rows, columns: input.columns)
                let difference = firstDifference(
                    (input.gradient ?? zero).values, try matrix(gradients[index]).values,
                    relative: 1e-5, absolute: 3e-6)
                #expect(difference == nil, "gradient \(index) of \(name): \(difference ?? "")")
            }
        }
    }

    /// (f(x + h) − f(x − h)) / 2h along a random direction, for smooth operations.
    @Test func `gradients agree with finite differences`() throws {
        let golden = try Golden.json("autograd.json")
        let rough: Set = [
            "exp ends", "log_softmax ends", "softplus ends", "tanh ends", "sigmoid ends", "detach",
            // A detached part moves with the input; ties and poles are no places for differences.
            "distillation", "max rows", "max columns", "div row",
        ]
        let smooth = elementwise.merging(structural) { first, _ in first }
            .merging(losses) { first, _ in first }
            .filter { !rough.contains($0.key) && !$0.key.hasSuffix("ties") && $0.key != "max" }
        for json in try #require(golden["cases"]?.arrayValue) {
            let name = try #require(json["name"]?.stringValue)
            guard let operation = smooth[name] else { continue }
            let inputs = try #require(json["inputs"]?.strings).map {
                try matrix(golden["inputs"]?[$0])
            }
            let weights = D(try matrix(json["weights"]))
            let tape = Tape()
            let variables = inputs.map { tape.variable($0) }
            try tape.backward(from: operation(variables).mul(weights).sum())
            for (place, input) in inputs.enumerated() {
                let h: Float = 2e-3
                let direction = (0..<input.rows * input.columns).map {
                    Float(($0 * 7919 + 13) % 31) / 15.5 - 1
                }
                func value(_ step: Float) throws -> Double {
                    let moved = zip(input.values, direction).map { $0 + step * $1 }
                    var all = inputs.map { D($0) }
                    all[place] = D(
                        try #require(
                            Matrix(rows: input.rows, columns: input.columns, values: moved)))
                    let result = try operation(all).mul(weights)
                    return result.value.values.reduce(0) { $0 + Double($1) }
                }
                let numeric = try (value(h) - value(-h)) / Double(2 * h)
                let gradient = variables[place].gradient?.values ?? []
                let exact = zip(gradient, direction).reduce(0) { $0 + Double($1.0 * $1.1) }
                #expect(
                    isClose(exact, numeric, relative: 3e-2, absolute: 3e-2),
                    "\(name), input \(place): \(exact), by differences \(numeric)")
            }
        }
    }

    @Test func `logarithm and exponential hold their digits over all of float32`() throws {
        let values: [Float] = [
            0x1p-149, 0x1p-128, 1.2e-38, 1e-20, 0.3, 0.707, 0.7072, 1, 1.4142, 1.4143, 10, 3e38,
        ]
        let logs = try D(matrix([values])).log().value.values
        for (x, y) in zip(values, logs) {
            let expected = log(Double(x))
            #expect(isClose(Double(y), expected, relative: 3e-7, absolute: 1e-7), "log \(x)")
        }
        let odd = try D(matrix([[0, -1, .infinity, .nan, -0.0]])).log().value.values
        #expect(odd[0] == -.infinity && odd[1].isNaN && odd[2] == .infinity && odd[3].isNaN)
        #expect(odd[4] == -.infinity)
        let ends = try D(matrix([[89, 1000, -105, -1000, .nan, 88.7, -.infinity]])).exp()
        let exponentials = ends.value.values
        #expect(exponentials[0] == .infinity && exponentials[1] == .infinity)
        #expect(exponentials[2] == 0 && exponentials[3] == 0 && exponentials[4].isNaN)
        #expect(isClose(Double(exponentials[5]), exp(Double(Float(88.7))), relative: 1e-6))
        #expect(exponentials[6] == 0)
    }

    @Test func `mistakes are named with shapes`() throws {
        let tape = Tape()
        let a = tape.variable(Matrix(rows: 6, columns: 9))
        let b = tape.variable(Matrix(rows: 6, columns: 4))
        func message(_ body: () throws -> Any) -> String {
            do {
                return "no error, but \(try body())"
            } catch {
                return "\(error)"
            }
        }
        #expect(
            message { try a.matmul(b) }
                == "matmul: 6x9 and 6x4 do not fit each other; the first needs as many columns as the second has rows"
        )
        #expect(
            message { try a.add(b) }
                == "add: 6x9 and 6x4 do not fit each other; rows and columns must be equal, or 1 on one side"
        )
        #expect(
            message { try a.crossEntropy([0, 1]) }
                == "cross_entropy: expected 6 targets, one for each row, got 2")
        #expect(
            message { try a.crossEntropy([0, 1, 2, 3, 4, 9]) }
                == "cross_entropy: there is no 10 among 9 columns")
        #expect(
            message { try tape.backward(from: a) }
                == "backward: expected one number, got 6x9; end with sum() or mean()")
        #expect(
            message { try D(Matrix(rows: 0, columns: 3)).max() }
                == "max: there is nothing to choose from in 0x3")
        let column = D(Matrix(rows: 1 << 20, columns: 1))
        #expect(
            message { try column.add(column.transpose()) }
                == "add: a matrix of 1048576x1048576 is too large; matrices may hold 2147483647 numbers"
        )
        tape.finish()
        #expect(
            message { try a.exp() }
                == "exp: a matrix of another step (6x9) is used; matrices of a loss live for one batch; keep a copy with detach()"
        )
        #expect(message { try a.detach().exp() }.hasPrefix("no error"))
    }
}
