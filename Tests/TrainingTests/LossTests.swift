import OrderedJSON
import Testing
import Training

/// Builds a loss from the argument names and values of Golden/losses.json.
private func makeLoss(_ name: String, _ arguments: JSONValue) throws -> any Loss {
    let scale = arguments["scale"]?.doubleValue ?? 20
    let function = arguments["similarity_fct"]?.stringValue
    let metric = arguments["distance_metric"]?.stringValue
    switch name {
    case "MultipleNegativesRankingLoss":
        let directions = arguments["directions"]?.strings ?? ["query_to_doc"]
        return try MultipleNegativesRankingLoss(
            scale: scale,
            similarityFct: #require(.init(rawValue: function ?? "cos_sim")),
            directions: directions.compactMap(MultipleNegativesRankingLoss.Direction.init),
            partitionMode: #require(
                .init(rawValue: arguments["partition_mode"]?.stringValue ?? "joint")),
            hardnessMode: arguments["hardness_mode"]?.stringValue.flatMap { .init(rawValue: $0) },
            hardnessStrength: arguments["hardness_strength"]?.doubleValue ?? 0)
    case "MultipleNegativesSymmetricRankingLoss":
        return try MultipleNegativesRankingLoss.symmetric(scale: scale)
    case "CosineSimilarityLoss":
        return try CosineSimilarityLoss()
    case "CoSENTLoss":
        return try CoSENTLoss(
            scale: scale, similarityFct: #require(.init(rawValue: function ?? "pairwise_cos_sim")))
    case "AnglELoss":
        return try AnglELoss(scale: scale)
    case "TripletLoss":
        return try TripletLoss(
            distanceMetric: #require(.init(rawValue: metric ?? "EUCLIDEAN")),
            tripletMargin: arguments["triplet_margin"]?.doubleValue ?? 5)
    case "ContrastiveLoss":
        return try ContrastiveLoss(
            distanceMetric: #require(.init(rawValue: metric ?? "COSINE_DISTANCE")),
            margin: arguments["margin"]?.doubleValue ?? 0.5,
            sizeAverage: arguments["size_average"]?.boolValue ?? true)
    case "OnlineContrastiveLoss":
        return try OnlineContrastiveLoss(
            distanceMetric: #require(.init(rawValue: metric ?? "COSINE_DISTANCE")),
            margin: arguments["margin"]?.doubleValue ?? 0.5)
    case "MarginMSELoss":
        return MarginMSELoss(
            similarityFct: try #require(.init(rawValue: function ?? "pairwise_dot_score")))
    case "MSELoss":
        return EmbedDistillLoss(distanceMetric: .mse, name: "MSELoss")
    case "EmbedDistillLoss":
        return EmbedDistillLoss(
            distanceMetric: try #require(metric.flatMap { .init(rawValue: $0) }))
    case "DistillKLDivLoss":
        return try DistillKLDivLoss(
            similarityFct: #require(.init(rawValue: function ?? "pairwise_dot_score")),
            temperature: arguments["temperature"]?.doubleValue ?? 1,
            studentTemperature: arguments["student_temperature"]?.doubleValue,
            teacherTemperature: arguments["teacher_temperature"]?.doubleValue)
    case "MatryoshkaLoss":
        return try MatryoshkaLoss(
            makeLoss(#require(arguments["loss"]?.stringValue), [:]),
            matryoshkaDims: #require(arguments["matryoshka_dims"]?.ints),
            matryoshkaWeights: arguments["matryoshka_weights"]?.doubles)
    default:
        if let mining = BatchTripletLoss.Mining(rawValue: name) {
            return try BatchTripletLoss(
                mining, distanceMetric: #require(.init(rawValue: metric ?? "euclidean_distance")),
                margin: arguments["margin"]?.doubleValue ?? 5)
        }
        throw TrainingError.internalError("no loss \(name)")
    }
}

private struct LossCase: CustomTestStringConvertible {
    let name: String
    let arguments: JSONValue
    let columns: Int
    let values: [Float]
    let dimension: Int
    let labels: LossLabels?
    let value: Double
    let gradient: [Float]

    var testDescription: String { "\(name) \(arguments) [\(columns) columns of \(dimension)]" }

    static let all: [LossCase] = {
        guard let cases = try? Golden.json("losses.json").arrayValue else { return [] }
        return cases.compactMap(LossCase.init)
    }()

    init?(_ json: JSONValue) {
        guard let name = json["loss"]?.stringValue, let columns = json["columns"]?.arrayValue,
            let value = json["value"]?.doubleValue, let gradient = json["gradient"]?.arrayValue
        else { return nil }
        self.name = name
        arguments = json["arguments"] ?? [:]
        self.columns = columns.count
        values = columns.flatMap { $0.arrayValue?.flatMap(\.floats) ?? [] }
        dimension = columns.first?[0]?.arrayValue?.count ?? 0
        self.value = value
        self.gradient = gradient.flatMap { $0.arrayValue?.flatMap(\.floats) ?? [] }
        labels = json["labels"]?.arrayValue.map { rows in
            let lists = rows.compactMap { $0.arrayValue }
            return LossLabels(
                lists.isEmpty
                    ? rows.compactMap { $0.doubleValue.map { Float($0) } }
                    : rows.flatMap(\.floats),
                width: lists.first?.count ?? 1)
        }
    }

    func batch(_ values: [Float]? = nil) throws -> LossBatch {
        let values = values ?? self.values
        return LossBatch(
            embeddings: try #require(
                Matrix(rows: values.count / dimension, columns: dimension, values: values)),
            columns: columns, labels: labels)
    }
}

struct LossGoldenTests {
    @Test func `the golden file holds every loss`() {
        #expect(LossCase.all.count >= 100)
        #expect(Set(LossCase.all.map(\.name)).count >= 17)
    }

    @Test(arguments: LossCase.all)
    fileprivate func `values and gradients equal torch's`(_ golden: LossCase) throws {
        let loss = try makeLoss(golden.name, golden.arguments)
        let result = try loss.evaluate(golden.batch())
        #expect(
            isClose(result.value, golden.value, relative: 2e-6, absolute: 2e-6),
            "\(result.value), torch has \(golden.value)")
        let gradient = try #require(result.gradient).values
        #expect(
            firstDifference(gradient, golden.gradient, relative: 2e-5, absolute: 2e-6) == nil)
    }

    @Test(arguments: LossCase.all)
    fileprivate func `evaluation gives the value without a gradient`(_ golden: LossCase) throws {
        let loss = try makeLoss(golden.name, golden.arguments)
        var batch = try golden.batch()
        batch.wantsGradient = false
        let result = try loss.evaluate(batch)
        #expect(result.gradient == nil)
        #expect(isClose(result.value, golden.value, relative: 2e-6, absolute: 2e-6))
    }
}

struct LossGradientTests {
    /// Hardness penalties are constants for the gradient on purpose, so differences disagree there.
    @Test(
        arguments: LossCase.all.filter { $0.arguments["hardness_mode"] == nil && $0.dimension > 2 })
    fileprivate func `gradients agree with finite differences`(_ golden: LossCase) throws {
        let loss = try makeLoss(golden.name, golden.arguments)
        let gradient = try #require(loss.evaluate(golden.batch()).gradient).values
        let scale = gradient.map(\.magnitude).max() ?? 0
        for index in stride(from: 0, to: golden.values.count, by: 7) {
            func value(_ step: Float) throws -> Double {
                var moved = golden.values
                moved[index] += step
                return try loss.evaluate(golden.batch(moved)).value
            }
            let difference = try (value(2e-3) - value(-2e-3)) / 4e-3
            #expect(
                isClose(
                    Double(gradient[index]), difference, relative: 2e-2,
                    absolute: 2e-3 * Double(max(scale, 1))),
                "element \(index): \(gradient[index]) against \(difference)")
        }
    }
}

struct LossContractTests {
    @Test func `equal embeddings give the logarithm of the candidates`() throws {
        let loss = try MultipleNegativesRankingLoss()
        let ones = try #require(
            Matrix(rows: 12, columns: 3, values: [Float](repeating: 1, count: 36)))
        let result = try loss.evaluate(LossBatch(embeddings: ones, columns: 3))
        #expect(isClose(result.value, 2.0794415416798357))  // log(4 rows × 2 documents)
    }

    @Test func `too few, too many and missing columns are named`() throws {
        func message(_ loss: any Loss, _ columns: [String], _ label: String?) -> String? {
            do {
                try loss.check(columns: columns, label: label)
                return nil
            } catch { return "\(error)" }
        }
        #expect(
            try message(TripletLoss(), ["anchor", "positive"], nil)
                == "TripletLoss needs 3 text columns (anchor, positive, negative), and the dataset has "
                + "2: 'anchor', 'positive'; the label column (label, labels, score or scores) does not "
                + "count as text")
        #expect(
            try message(CoSENTLoss(), ["a", "b"], nil)
                == "CoSENTLoss needs a label column with a similarity score, and the dataset has only "
                + "the text columns 'a', 'b'; name the column label, labels, score or scores")
        #expect(
            try message(CosineSimilarityLoss(), ["a", "b", "c"], "score")
                == "CosineSimilarityLoss needs 2 text columns (sentence1, sentence2), and the dataset "
                + "has 3: 'a', 'b', 'c'; keep the needed ones with select_columns")
        #expect(
            try message(MultipleNegativesRankingLoss(), ["a"], nil)?.contains(
                "at least 2 text columns")
                == true)
        #expect(try message(MultipleNegativesRankingLoss(), ["a", "b", "c", "d"], "score") == nil)
    }

    @Test func `ill-defined arguments are refused at construction`() {
        func refused(_ make: () throws -> some Loss) -> String {
            do {
                return "made \(try make().name)"
            } catch { return "\(error)" }
        }
        #expect(
            refused { try MultipleNegativesRankingLoss(scale: 0) }
                == "MultipleNegativesRankingLoss: scale: must be a positive number, got 0.0")
        #expect(
            refused { try MultipleNegativesRankingLoss(gatherAcrossDevices: true) }
                == "MultipleNegativesRankingLoss: gather_across_devices: there is one device on a CPU, "
                + "nothing can be gathered; leave it out")
        #expect(
            refused { try MultipleNegativesRankingLoss(directions: [.docToQuery]) }
                .contains("'query_to_doc' is missing"))
        #expect(
            refused {
                try MultipleNegativesRankingLoss(
                    directions: [.queryToDoc, .docToDoc], partitionMode: .perDirection)
            }.contains("'doc_to_doc' never contains it; use 'joint'"))
        #expect(
            refused { try MultipleNegativesRankingLoss(hardnessStrength: -1) }
                .contains("hardness_strength: must not be negative"))
        #expect(
            refused { try CosineSimilarityLoss(lossFct: "L1Loss") }
                == "CosineSimilarityLoss: loss_fct: 'L1Loss' is not available; use 'MSELoss' or leave it "
                + "out")
        #expect(
            refused { try MatryoshkaLoss(CoSENTLoss(), matryoshkaDims: []) }
                .contains("matryoshka_dims"))
    }

    @Test func `not-a-number embeddings give a not-a-number loss`() throws {
        let losses: [any Loss] = [
            try MultipleNegativesRankingLoss(), try CosineSimilarityLoss(), try CoSENTLoss(),
            try ContrastiveLoss(), try OnlineContrastiveLoss(), try AnglELoss(),
        ]
        for loss in losses {
            var values = [Float](repeating: 0.5, count: 16)
            values[3] = .nan
            let embeddings = try #require(Matrix(rows: 4, columns: 4, values: values))
            let result = try loss.evaluate(
                LossBatch(embeddings: embeddings, columns: 2, labels: LossLabels([1, 0])))
            #expect(result.value.isNaN, "\(loss.name)")
        }
    }
}
