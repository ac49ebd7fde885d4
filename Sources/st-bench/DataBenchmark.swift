// Reading a data file as `load_dataset` does, every text of it included; each time from the start.
import Glibc
import Training

func runDataBenchmark(_ options: BenchmarkOptions) throws {
    guard let path = options.data else { fail("give --data FILE: .parquet, .csv or .jsonl") }
    let format: DatasetFormat
    switch path.split(separator: ".").last {
    case "parquet": format = .parquet()
    case "csv": format = .csv()
    case "json", "jsonl": format = .json()
    default: fail("'\(path)' is neither .parquet nor .csv nor .jsonl")
    }
    func read() throws -> (dataset: Dataset, columns: [Column]) {
        let dataset = try loadDataset(format, dataFiles: [("train", [path])], split: options.split)
        return (dataset, try dataset.columnNames.map(dataset.requireColumn))
    }
    let before = residentBytes()
    var kept: (dataset: Dataset, columns: [Column])? = try read()
    let growth = residentBytes() - before
    var texts = 0
    var bytes = 0
    for column in kept?.columns ?? [] {
        for row in 0..<column.count {
            guard let count = column.withUTF8(at: row, { $0.count }) else { continue }
            texts += 1
            bytes += count
        }
    }
    let rows = kept?.dataset.numRows ?? 0
    kept = nil
    // Reading can't fail once it has succeeded.
    let measurement = Measurement(repetitions: options.repetitions) { _ = try? read() }
    if options.json {
        print(
            "{\"rows\": \(rows), \"texts\": \(texts), \"bytes\": \(bytes), "
                + "\"seconds\": \(measurement.median), \"memory_by_bytes\": "
                + "\(Double(growth) / Double(max(bytes, 1)))}")
        return
    }
    BenchmarkLine(
        name: "load_dataset", shape: "\(rows) rows, \(texts) texts", threads: options.threads,
        measurement: measurement, bytes: Double(bytes),
        remark: "memory \(Double(growth * 100 / max(bytes, 1)) / 100) x the texts' bytes"
    ).print(json: false)
}

/// Memory of this process that is in use now.
private func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * sysconf(Int32(_SC_PAGESIZE))
}
