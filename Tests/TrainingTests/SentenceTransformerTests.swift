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
