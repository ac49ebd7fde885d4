import OrderedJSON
import Testing
import Training

/// A parameter with memory of its own.
final class TestParameter {
    let parameter: Parameter
    let value: UnsafeMutablePointer<Float>
    let gradient: UnsafeMutablePointer<Float>

    init(_ name: String, shape: [Int], values: [Float], tracksRows: Bool = false) {
        value = .allocate(capacity: values.count)
        gradient = .allocate(capacity: values.count)
        value.initialize(from: values, count: values.count)
        gradient.initialize(repeating: 0, count: values.count)
        parameter = Parameter(
            name: name, qualifiedName: "model.0.model.\(name)", shape: shape, value: value,
            gradient: gradient, touchedRows: tracksRows ? [] : nil)
    }

    deinit {
        value.deallocate()
        gradient.deallocate()
    }

    var values: [Float] { Array(UnsafeBufferPointer(start: value, count: parameter.count)) }

    func setGradient(_ values: [Float], rows: [Int32]? = nil) {
        gradient.update(from: values, count: values.count)
        if parameter.touchedRows != nil { parameter.touchedRows = rows ?? [] }
    }
}

private struct OptimizerCase: CustomTestStringConvertible {
    let json: JSONValue
    var testDescription: String {
        "\(json["kind"]?.stringValue ?? "") \(json["arguments"] ?? [:]) "
            + "decay \(json["weight_decay"]?.doubleValue ?? 0)"
    }

    static let all: [OptimizerCase] =
        (try? Golden.json("adamw.json").arrayValue?.map(OptimizerCase.init)) ?? []

    func makeParameters(tracksRows: Bool) -> [TestParameter] {
        let shapes = [[6, 5], [33], [7]]
        let start = json["start"]?.arrayValue ?? []
        return zip(shapes, start).enumerated().map { index, pair in
            TestParameter(
                "tensor\(index)", shape: pair.0, values: pair.1.floats,
                tracksRows: tracksRows && index == 0)
        }
    }

    func makeOptimizer(_ parameters: [TestParameter]) throws -> any Optimizer {
        let decay = json["weight_decay"]?.doubleValue ?? 0
        let groups = [
            ParameterGroup(
                parameters: parameters[..<2].map(\.parameter), learningRate: 0, weightDecay: decay),
            ParameterGroup(
                parameters: parameters[2...].map(\.parameter), learningRate: 0, weightDecay: 0),
        ]
        let arguments = json["arguments"]
        func number(_ name: String, _ fallback: Double = 0) -> Double {
            arguments?[name]?.doubleValue ?? fallback
        }
        func flag(_ name: String) -> Bool { arguments?[name]?.boolValue ?? false }
        switch json["kind"]?.stringValue {
        case "SGD":
            return try SGD(
                groups: groups, momentum: number("momentum"), dampening: number("dampening"),
                nesterov: flag("nesterov"))
        case "Adagrad":
            return try Adagrad(
                groups: groups, lrDecay: number("lr_decay"), epsilon: number("eps", 1e-10))
        case "RMSprop":
            return try RMSprop(
                groups: groups, alpha: number("alpha", 0.99), epsilon: number("eps", 1e-8),
                momentum: number("momentum"), centered: flag("centered"))
        case "Adafactor":
            return try Adafactor(groups: groups)
        default:
            break
        }
        let betas = arguments?["betas"]?.doubles ?? [0.9, 0.999]
        return try AdamW(
            groups: groups, beta1: betas[0], beta2: betas[1],
            epsilon: number("eps", 1e-8))
    }
}

struct AdamWTests {
    @Test(arguments: OptimizerCase.all, [false, true])
    fileprivate func `updates and norms equal torch's`(
        _ golden: OptimizerCase, tracksRows: Bool
    ) throws {
        let parameters = golden.makeParameters(tracksRows: tracksRows)
        let optimizer = try golden.makeOptimizer(parameters)
        let pool = WorkerPool(threads: 2)
        let maximum = try #require(golden.json["max_grad_norm"]?.doubleValue)
        for step in try #require(golden.json["steps"]?.arrayValue) {
            let rows = try #require(step["rows"]?.ints).map { Int32($0) }.sorted()
            for (parameter, gradient) in zip(parameters, step["gradients"]?.arrayValue ?? []) {
                parameter.setGradient(gradient.floats, rows: rows)
            }
            let norm = GradientNorm(parameters.map(\.parameter))
            #expect(isClose(norm.total, step["norm"]?.doubleValue ?? .nan, relative: 1e-6))
            for index in optimizer.groups.indices {
                optimizer.groups[index].learningRate = try #require(step["rate"]?.doubleValue)
            }
            optimizer.step(
                clip: norm.coefficient(maximum: maximum), pool: tracksRows ? pool : nil)
        }
        for (parameter, end) in zip(parameters, golden.json["end"]?.arrayValue ?? []) {
            #expect(
                firstDifference(parameter.values, end.floats, relative: 1e-6, absolute: 3e-7)
                    == nil,
                "\(parameter.parameter.name)")
        }
    }

    @Test func `the golden file holds all optimizers`() {
        #expect(
            Set(OptimizerCase.all.compactMap { $0.json["kind"]?.stringValue })
                == ["AdamW", "SGD", "Adagrad", "RMSprop", "Adafactor"])
    }

    @Test(arguments: [0.0, 0.1])
    func `passing over untouched rows changes no bit`(decay: Double) throws {
        let rows = 40
        let columns = 19
        var generator = SystemRandomNumberGenerator()
        func random(_ count: Int) -> [Float] {
            (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
        }
        let start = random(rows * columns)
        let tables = [true, false].map {
            TestParameter("table", shape: [rows, columns], values: start, tracksRows: $0)
        }
        let optimizers = try tables.map {
            try AdamW(
                groups: [
                    ParameterGroup(
                        parameters: [$0.parameter], learningRate: 0.01, weightDecay: decay)
                ], beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
        }
        for step in 0..<8 {
            let touched: [Int32] = step < 5 ? [Int32(step), 7, Int32(20 + step)] : [31]
            var gradient = [Float](repeating: 0, count: rows * columns)
            for row in touched {
                gradient.replaceSubrange(
                    Int(row) * columns..<(Int(row) + 1) * columns, with: random(columns))
            }
            for (table, optimizer) in zip(tables, optimizers) {
                table.setGradient(gradient, rows: touched)
                optimizer.step(clip: 0.7, pool: nil)
            }
        }
        #expect(tables[0].values == tables[1].values)
        #expect(tables[0].values != start)
    }

    @Test func `parameters without a gradient are neither counted nor changed`() throws {
        let used = TestParameter("used", shape: [2], values: [1, 1])
        let values = UnsafeMutablePointer<Float>.allocate(capacity: 2)
        defer { values.deallocate() }
        values.initialize(repeating: 5, count: 2)
        let unused = Parameter(
            name: "pooler", qualifiedName: "pooler", shape: [2], value: values, gradient: nil)
        used.setGradient([3, 4])
        let parameters = [used.parameter, unused]
        #expect(GradientNorm(parameters).total == 5)
        let group = ParameterGroup(parameters: parameters, learningRate: 0.1, weightDecay: 0.5)
        try AdamW(groups: [group], beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
            .step(clip: 1, pool: nil)
        #expect(values[0] == 5 && values[1] == 5)
        #expect(used.value[0] != 1)
    }

    @Test func `clipping is off for a maximum of zero and below`() {
        let parameter = TestParameter("w", shape: [2], values: [0, 0])
        parameter.setGradient([30, 40])
        let norm = GradientNorm([parameter.parameter])
        #expect(norm.total == 50)
        #expect(norm.coefficient(maximum: 0) == 1)
        #expect(norm.coefficient(maximum: -1) == 1)
        #expect(norm.coefficient(maximum: 100) == 1)
        #expect(isClose(Double(norm.coefficient(maximum: 1)), 0.02, relative: 1e-6))
    }

    @Test(arguments: [
        ("model.0.model.embeddings.word_embeddings.weight", true),
        ("model.0.model.encoder.layer.0.attention.self.query.weight", true),
        ("model.0.model.encoder.layer.0.attention.self.query.bias", false),
        ("model.0.model.encoder.layer.0.attention.output.LayerNorm.weight", false),
        ("model.0.model.transformer.layer.0.sa_layer_norm.weight", false),
        ("model.0.model.encoder.relative_attention_bias.weight", false),
        ("model.0.model.layers.0.attn_norm.weight", false),
        ("model.0.model.embeddings.norm.weight", false),
        ("model.2.linear.weight", true),
        ("model.0.model.normalizer.weight", true),
    ])
    func `weight decay follows Python's rule of names`(name: String, decays: Bool) {
        #expect(hasWeightDecay(name) == decays)
    }
}
