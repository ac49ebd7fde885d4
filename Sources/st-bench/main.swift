// Benchmarks. `st-bench kernels` times each kernel beside a plain loop, `st-bench encoder` whole
// passes of a model, `st-bench data` reading files, `st-bench study` the search engine; `--json` prints one JSON object per line
// instead of a table.
import Glibc
import Training

/// Command line: the name of a benchmark, then options.
struct BenchmarkOptions {
    var json = false
    var threads = WorkerPool.processorCount
    var model: String?
    /// Products in bfloat16.
    var bf16 = false
    var repetitions = 15
    var data: String?
    var columns = ["sentence1", "sentence2"]
    var rows = 1_000_000
    var maxLength = 256
    /// In a database file instead of in memory.
    var sqlite = false
    var trials = 10_000
    var split = "train"
}

func fail(_ message: String) -> Never {
    let line = Array("st-bench: \(message)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(2)
}

let usage = """
    usage: st-bench kernels [--json] [--cpu-time] [--repetitions N]
           st-bench encoder [--model FOLDER] [--threads N] [--bf16] [--json] [--cpu-time] [--repetitions N]
           st-bench sgemm [--model FOLDER] [--threads N] [--json] [--repetitions N]
           st-bench tokenizer --data FILE [--model FOLDER] [--columns A,B] [--rows N]
                    [--max-length N] [--json] [--repetitions N]
           st-bench data --data FILE [--split SPLIT] [--json] [--cpu-time] [--repetitions N]
           st-bench study [--sqlite] [--trials N] [--json]
    --cpu-time counts the processor time of all threads, for a machine that is busy otherwise.
    `study` counts processor time; PEER=1 runs the same study in Python's Optuna beside it.
    The model folder may also be given as ST_HOST_MODEL. Quote results with the machine, the BLAS
    build, the number of threads and OPENBLAS_CORETYPE, if that is set.
    """

// What is measured first would share a processor with threads that look for work.
BLAS.prepare()
var options = BenchmarkOptions()
options.model = getenv("ST_HOST_MODEL").map { String(cString: $0) }
var arguments = Array(CommandLine.arguments.dropFirst())
guard !arguments.isEmpty else { fail(usage) }
let name = arguments.removeFirst()
while !arguments.isEmpty {
    let option = arguments.removeFirst()
    func value() -> String {
        guard !arguments.isEmpty else { fail("\(option) wants a value") }
        return arguments.removeFirst()
    }
    func count() -> Int {
        let text = value()
        guard let number = Int(text), (1...1_000_000).contains(number) else {
            fail("\(option) wants a number from 1 to 1000000, not '\(text)'")
        }
        return number
    }
    switch option {
    case "--json": options.json = true
    case "--bf16": options.bf16 = true
    case "--cpu-time": Measurement.usesProcessorTime = true
    case "--threads": options.threads = count()
    case "--repetitions": options.repetitions = count()
    case "--sqlite": options.sqlite = true
    case "--trials": options.trials = count()
    case "--model": options.model = value()
    case "--data": options.data = value()
    case "--columns": options.columns = value().split(separator: ",").map(String.init)
    case "--split": options.split = value()
    case "--rows": options.rows = count()
    case "--max-length": options.maxLength = count()
    default: fail("unknown option '\(option)'\n\(usage)")
    }
}

switch name {
case "kernels": runKernelBenchmarks(options)
case "encoder":
    do { try runEncoderBenchmark(options) } catch { fail("\(error)") }
case "sgemm":
    do { try runSgemmBenchmark(options) } catch { fail("\(error)") }
case "tokenizer":
    do { try runTokenizerBenchmark(options) } catch { fail("\(error)") }
case "data":
    do { try runDataBenchmark(options) } catch { fail("\(error)") }
case "study":
    do { try runStudyBenchmark(options) } catch { fail("\(error)") }
default: fail("unknown benchmark '\(name)'\n\(usage)")
}
