// Readers of files from strangers, given damaged files: a short run with the same inputs every
// time, and every input that has ever broken one. scripts/dev/fuzz.sh searches for more.
import Foundation
import FuzzTargets
import TestSupport
import Testing

struct FuzzTests {
    private static let root = Repository.root.appending(path: "Tests")

    private static func read(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: root.appending(path: path)))
    }

    /// Good files to start from.
    private static func seeds(_ target: FuzzTarget) throws -> [[UInt8]] {
        let folder = root.appending(path: "Fuzzing/Seeds/\(target.rawValue)").path
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map {
            try read("Fuzzing/Seeds/\(target.rawValue)/\($0)")
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `damaged files are refused or read, whatever is in them`(_ target: FuzzTarget) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let seeds = try Self.seeds(target)
        try #require(!seeds.isEmpty)
        var good = 0
        for seed in seeds {
            good += seed.withUnsafeBytes { target.run($0, folder: folder.url.path) } ? 1 : 0
        }
        #expect(good == seeds.count, "a seed is refused")
        var refused = 0
        for number in 0..<4000 {
            var mutator = Mutator(seed: UInt64(number) + 1)
            let input = mutator.change(seeds[number % seeds.count], others: seeds)
            refused += input.withUnsafeBytes { target.run($0, folder: folder.url.path) } ? 0 : 1
        }
        #expect(refused > 100)
    }

    @Test(arguments: FuzzTarget.allCases)
    func `inputs that once broke a reader no longer do`(_ target: FuzzTarget) throws {
        let work = try TemporaryFolder()
        defer { work.remove() }
        let folder = "Fuzzing/Regressions/\(target.rawValue)"
        let names = try? FileManager.default.contentsOfDirectory(
            atPath: Self.root.appending(path: folder).path)
        for name in names ?? [] {
            let bytes = try Self.read("\(folder)/\(name)")
            _ = bytes.withUnsafeBytes { target.run($0, folder: work.url.path) }
        }
    }
}
