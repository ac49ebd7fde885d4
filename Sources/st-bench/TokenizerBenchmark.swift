// Tokenising the texts of a data set, one by one and as a whole; also how many tokens they are.
import Training

func runTokenizerBenchmark(_ options: BenchmarkOptions) throws {
    guard let folder = options.model else { fail("give --model FOLDER or set ST_HOST_MODEL") }
    guard let data = options.data else { fail("give --data FILE, JSON Lines") }
    var modelOptions = SentenceTransformer.Options()
    modelOptions.maxSeqLength = options.maxLength
    modelOptions.threads = options.threads
    let model = try SentenceTransformer(path: folder, options: modelOptions)
    let dataset = try loadDataset(
        .json(), dataFiles: [("train", [data])], split: "train[:\(options.rows)]")
    var texts: [String] = []
    for name in options.columns {
        let column = try dataset.requireColumn(name)
        texts += (0..<column.count).compactMap { column.string(at: $0) }
    }
    let tokens = try model.tokenize(texts)
    // Tokenising can't fail once it has succeeded.
    let batch = Measurement(repetitions: options.repetitions) { _ = try? model.tokenize(texts) }
    let single = Measurement(repetitions: options.repetitions) {
        for text in texts { _ = try? model.tokenize([text]) }
    }
    if options.json {
        print(
            "{\"texts\": \(texts.count), \"tokens\": \(tokens.ids.count), "
                + "\"single_seconds\": \(single.median), \"batch_seconds\": \(batch.median)}")
        return
    }
    print("\(texts.count) texts, \(tokens.ids.count) tokens")
    for (name, measurement) in [("one by one", single), ("as a whole", batch)] {
        BenchmarkLine(
            name: "tokenize, \(name)", shape: "\(texts.count) texts", threads: options.threads,
            measurement: measurement,
            remark: "\(Int(Double(tokens.ids.count) / measurement.median)) tokens/s"
        ).print(json: false)
    }
}
