import OrderedJSON
import Testing
import Training

/// Against models, embeddings and gradients written by scripts/golden/model.py.
struct SentenceTransformerTests {
    struct GoldenCase: Sendable, CustomStringConvertible {
        let model: String
        let name: String
        let batch: PackedBatch
        let trains: Bool
        let seed: UInt64
        var description: String { "\(model), \(name)" }
    }

    static let cases: [GoldenCase] = {
        let json = (try? ModelGolden.json("cases.json"))?["cases"]?.arrayValue ?? []
        return json.map { value in
            GoldenCase(
                model: value["model"]?.stringValue ?? "", name: value["name"]?.stringValue ?? "",
                batch: ModelGolden.batch(
                    (value["passes"]?.arrayValue ?? []).map(ModelGolden.sentences),
                    promptLength: value["prompt_length"]?.intValue ?? 0),
                trains: value["train"]?.boolValue ?? false,
                seed: UInt64(value["seed"]?.intValue ?? 0))
        }
    }()

    @Test func `the golden cases are there`() { #expect(Self.cases.count == 6) }

    @Test(arguments: cases)
    func `embeddings and gradients are torch's, with dropout from torch's stream`(
        _ golden: GoldenCase
    ) throws {
        let model = try ModelGolden.model(golden.model)
        let file = try ModelGolden.tensors(golden.model)
        let dropout: DropoutMode = golden.trains ? .torch(TorchGenerator(seed: golden.seed)) : .off
        let embeddings = try model.forward(golden.batch, dropout: dropout)
        expectClose(
            embeddings.values, try ModelGolden.values(file, "\(golden.name).embeddings"),
            absolute: 2e-6, relative: 2e-6, "embeddings")

        let upstream = try ModelGolden.values(file, "\(golden.name).upstream")
        try model.backward(
            #require(
                Matrix(rows: embeddings.rows, columns: embeddings.columns, values: upstream)))
        var checked = 0
        for parameter in model.parameters {
            let name = parameter.qualifiedName.dropFirst("model.".count)
            let key = "\(golden.name).gradient.\(name)"
            guard let gradient = parameter.gradientValues else {
                #expect(file[key] == nil)
                continue
            }
            let expected = try ModelGolden.values(file, key)
            let size = expected.reduce(0) { max($0, abs($1)) }
            expectClose(
                gradient, expected, absolute: 1e-5 * size + 1e-6, relative: 1e-4, parameter.name)
            checked += 1
        }
        let gradients = file.tensors.filter { $0.name.hasPrefix("\(golden.name).gradient.") }
        #expect(checked == gradients.count)
    }
}

// MARK: Pooling modes, threads, accumulation

extension SentenceTransformerTests {
    @Test func `each pooling mode gives Python's embeddings, with and without a prompt`() throws {
        let json = try ModelGolden.json("cases.json")
        let sentences = ModelGolden.sentences(json["pooling_batch"])
        let poolings = try #require(json["poolings"]?.arrayValue)
        #expect(poolings.count == 2 * PoolingMode.allCases.count)
        for value in poolings {
            let mode = try #require(value["mode"]?.stringValue)
            let folder = try ModelFolder(copyOf: "bert", without: ["2_Normalize"])
            try folder.write(
                "1_Pooling/config.json",
                #"{"embedding_dimension": 32, "pooling_mode": "\#(mode)", "include_prompt": false}"#
            )
            try folder.writeModules(["Transformer", "Pooling"])
            let model = try SentenceTransformer(path: folder.path)
            let prompt = try #require(value["prompt_length"]?.intValue)
            let batch = ModelGolden.batch([sentences], promptLength: prompt)
            let expected = (value["embeddings"]?.arrayValue ?? []).flatMap { row in
                (row.arrayValue ?? []).map { Float($0.doubleValue ?? .nan) }
            }
            expectClose(
                try model.embed(batch).values, expected, absolute: 3e-6, relative: 2e-6,
                "\(mode), prompt of \(prompt)")
        }
    }

    static var longBatch: PackedBatch { batch(sentences: 130) }

    static func batch(sentences: Int) -> PackedBatch {
        var batch = PackedBatch()
        var state: UInt32 = 7
        for index in 0..<sentences {
            let length = 2 + index * 7 % 29
            batch.append(
                (0..<length).map { _ -> Int32 in
                    state = state &* 1_664_525 &+ 1_013_904_223
                    return Int32(state >> 8) % 39
                })
        }
        return batch
    }

    /// The larger batch is cut into segments, and these into groups.
    @Test(arguments: ["bert", "modules"], [130, 400])
    func `one, two and three threads give the same bits`(name: String, sentences: Int) throws {
        let batch = Self.batch(sentences: sentences)
        var results: [[[Float]]] = []
        for threads in 1...3 {
            let model = try ModelGolden.model(name, threads: threads)
            var result: [[Float]] = [try model.embed(batch).values]
            for step in 0..<2 {
                let embeddings = try model.forward(
                    batch, dropout: .counter(seed: 1, step: UInt64(step)))
                result.append(embeddings.values)
                try model.backward(embeddings)
            }
            result += model.parameters.compactMap(\.gradientValues)
            results.append(result)
        }
        #expect(results[0].allSatisfy { $0.allSatisfy(\.isFinite) })
        #expect(results[0] == results[1])
        #expect(results[0] == results[2])
    }

    @Test func `embedding without activations gives the bits of a pass with them`() throws {
        let model = try ModelGolden.model("bert")
        #expect(
            try model.embed(Self.longBatch).values
                == model.forward(Self.longBatch, dropout: .off).values)
    }

    @Test func `a sentence's embedding does not depend on its batch`() throws {
        let model = try ModelGolden.model("distilbert")
        let batch = Self.longBatch
        let all = try model.embed(batch)
        for sentence in [0, 64, 129] {
            var alone = PackedBatch()
            alone.append(batch.tokenIDs[batch.offsets[sentence]..<batch.offsets[sentence + 1]])
            expectClose(
                try model.embed(alone).values, all.row(sentence), absolute: 1e-6,
                "sentence \(sentence)")
        }
    }

    @Test func `gradients add up over passes, and only touched rows are cleared`() throws {
        let model = try ModelGolden.model("bert")
        let golden = try #require(Self.cases.first { $0.model == "bert" })
        func run(_ batch: PackedBatch) throws {
            let embeddings = try model.forward(batch, dropout: .off)
            let gradient = Matrix(rows: embeddings.rows, columns: embeddings.columns)
            for place in 0..<embeddings.rows * embeddings.columns {
                gradient.storage[place] = Float(place % 7) - 3
            }
            try model.backward(gradient)
        }
        var other = PackedBatch()
        other.append([2, 6, 3])
        try run(golden.batch)
        let first = model.parameters.map(\.gradientValues)
        let words = try #require(model.parameters.first)
        #expect(words.touchedRows == Array(Set(golden.batch.tokenIDs)).sorted())
        model.parameters.forEach { $0.zeroGradient() }
        #expect(model.parameters.allSatisfy { $0.gradientValues?.allSatisfy { $0 == 0 } ?? true })
        try run(other)
        let second = model.parameters.map(\.gradientValues)
        #expect(words.touchedRows == [2, 3, 6])
        try run(golden.batch)
        #expect(words.touchedRows == Array(Set(golden.batch.tokenIDs).union([2, 3, 6])).sorted())
        for (index, parameter) in model.parameters.enumerated() {
            guard let sum = parameter.gradientValues, let a = first[index], let b = second[index]
            else { continue }
            expectClose(
                sum, zip(a, b).map { $0 + $1 }, absolute: 2e-5, relative: 1e-4, parameter.name)
        }
    }

    @Test func `the padding token's embedding gets no gradient, as in torch`() throws {
        let model = try ModelGolden.model("bert")
        var batch = PackedBatch()
        batch.append([2, 0, 7, 3])
        let embeddings = try model.forward(batch, dropout: .off)
        var numbers = TestNumbers(seed: 3)
        try model.backward(
            #require(
                Matrix(
                    rows: 1, columns: embeddings.columns,
                    values: floats(numbers.array(embeddings.columns)))))
        let words = try #require(model.parameters.first)
        let gradient = try #require(words.gradientValues)
        #expect(words.touchedRows == [2, 3, 7])
        #expect(gradient[..<32].allSatisfy { $0 == 0 })
        #expect(gradient[7 * 32..<8 * 32].contains { $0 != 0 })
    }

    @Test func `an empty batch gives an empty matrix`() throws {
        let model = try ModelGolden.model("bert")
        #expect(try model.embed(PackedBatch()).rows == 0)
        let nothing = try model.forward(PackedBatch(), dropout: .off)
        try model.backward(nothing)
    }

    @Test func `a batch that does not fit the model is refused`() throws {
        let model = try ModelGolden.model("bert")
        func message(_ tokens: [Int32]) -> String? {
            var batch = PackedBatch()
            batch.append(tokens)
            return #expect(throws: TrainingError.self) { _ = try model.embed(batch) }?.description
        }
        #expect(message([]) == "sentence 0 of the batch has no tokens")
        #expect(
            message([2, 39, 3])
                == "token id 39 is outside the model's vocabulary of 39; check that the tokenizer "
                + "belongs to this model")
        #expect(message([2, -1, 3])?.contains("token id -1") == true)
        #expect(
            message([Int32](repeating: 5, count: 41))
                == "a sentence of 41 tokens is longer than the model's 40 positions; lower "
                + "max_seq_length")
        #expect(throws: TrainingError.self) { try model.backward(Matrix(rows: 1, columns: 32)) }
    }
}
