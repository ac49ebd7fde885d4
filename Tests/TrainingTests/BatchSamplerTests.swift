import OrderedJSON
import Testing
import Training

private struct SamplerCase: CustomTestStringConvertible {
    let json: JSONValue
    var testDescription: String {
        "\(json["arguments"] ?? [:]) tables \(json["tables"]?.objectValue?.keys ?? [])"
    }

    static let all: [SamplerCase] =
        (try? Golden.json("samplers.json").arrayValue?.map(SamplerCase.init)) ?? []

    /// The sampler a trainer makes for these tables and arguments.
    func makeSampler() throws -> any BatchSampler {
        var arguments = JSONObject()
        for (name, value) in json["arguments"]?.objectValue ?? [:] { arguments[name] = value }
        let args = try SentenceTransformerTrainingArguments(arguments)
        let tables = try (json["tables"]?.objectValue ?? [:]).map { name, columns in
            (
                name: name,
                dataset: try Dataset(
                    columns: (columns.objectValue ?? [:]).map {
                        (name: $0.key, values: $0.value.arrayValue ?? [])
                    })
            )
        }
        return try makeBatchSampler(
            tables.map(\.dataset), args, batchSize: args.trainBatchSize,
            isMulti: tables.count > 1)
    }
}

struct BatchSamplerTests {
    @Test func `the golden file holds every sampler`() {
        let names = Set(
            SamplerCase.all.compactMap { $0.json["arguments"]?["batch_sampler"]?.stringValue })
        #expect(names == Set(BatchSamplers.allCases.map(\.rawValue)))
        #expect(SamplerCase.all.count > 40)
    }

    @Test(arguments: SamplerCase.all)
    fileprivate func `batches equal Python's for every epoch`(_ golden: SamplerCase) throws {
        let sampler = try golden.makeSampler()
        #expect(sampler.count == golden.json["count"]?.intValue)
        for (epoch, batches) in try #require(golden.json["epochs"]?.arrayValue).enumerated() {
            let expected = batches.arrayValue?.map(\.ints) ?? []
            #expect(sampler.allBatches(epoch: epoch) == expected, "epoch \(epoch)")
        }
    }

    @Test(arguments: SamplerCase.all.filter { $0.json["tables"]?.objectValue?.count == 1 })
    fileprivate func `evaluation batches are shuffled as in Python`(_ golden: SamplerCase) throws {
        let expected = golden.json["evaluation"]?.arrayValue?.map(\.ints)
        #expect(try golden.makeSampler().allBatches(epoch: 0) == expected)
    }

    /// Numbers of get_train_dataloader() for { a = Dataset } of 12 rows.
    @Test func `one dataset with a name is ordered by multi_dataset_batch_sampler`() throws {
        let text = { (row: Int) in JSONValue("text \(row)") }
        let table = try Dataset(columns: [
            (name: "a", values: (0..<12).map(text)), (name: "b", values: (0..<12).map(text)),
        ])
        func batches(_ sampler: String, isMulti: Bool) throws -> [[[Int]]] {
            let args = try SentenceTransformerTrainingArguments([
                "multi_dataset_batch_sampler": JSONValue(sampler)
            ])
            let made = try makeBatchSampler([table], args, batchSize: 4, isMulti: isMulti)
            return [made.allBatches(epoch: 0), made.allBatches(epoch: 1)]
        }
        let alone = [
            [[6, 8, 1, 7], [0, 2, 10, 11], [4, 3, 5, 9]],
            [[4, 6, 7, 2], [9, 8, 1, 5], [0, 10, 11, 3]],
        ]
        #expect(try batches("proportional", isMulti: false) == alone)
        #expect(try batches("round_robin", isMulti: true) == alone)
        #expect(
            try batches("proportional", isMulti: true) == [
                [[4, 0, 8, 5], [2, 10, 3, 6], [7, 1, 9, 11]],
                [[11, 8, 7, 5], [4, 10, 2, 0], [6, 3, 9, 1]],
            ])
    }

    @Test func `no value occurs twice in a batch`() throws {
        let texts = (0..<3).map { column in (0..<200).map { "t\(($0 * 7 + column * 13) % 90)" } }
        let options = SamplerOptions(batchSize: 16, dropLast: false, seed: 3)
        let sampler = NoDuplicatesBatchSampler(keys: ValueKeys(texts: texts), options: options)
        let batches = sampler.allBatches(epoch: 0)
        #expect(Set(batches.joined()).count == 200)
        for batch in batches {
            var seen = Set<String>()
            for row in batch {
                let values = Set(texts.map { $0[row] })
                #expect(seen.isDisjoint(with: values))
                seen.formUnion(values)
            }
        }
    }

    @Test func `texts that only look alike are different values`() {
        #expect(ValueKeys(texts: [["\u{e9}", "e\u{301}", "\u{e9}"]]).count == 2)
    }

    @Test func `grouping by label refuses what it cannot group`() throws {
        func message(_ labels: [String], batchSize: Int) -> String {
            do {
                _ = try GroupByLabelBatchSampler(
                    labels: ValueKeys(texts: [labels]),
                    options: SamplerOptions(batchSize: batchSize, dropLast: false, seed: 0))
                return ""
            } catch { return "\(error)" }
        }
        #expect(
            message(["a", "a", "b", "b"], batchSize: 5)
                == "SentenceTransformerTrainingArguments: per_device_train_batch_size: batch_sampler "
                + "'group_by_label' needs an even number of 4 or more, got 5")
        #expect(
            message(["a", "a", "b"], batchSize: 4)
                == "batch_sampler 'group_by_label' needs 2 labels with 2 rows or more each, and 1 of 2 "
                + "labels have that many; use another batch_sampler")
    }
}
