// What keeps a session from differing from run to run: `st-host --deterministic`, and the seeds of
// `st-host test`.

import FoundationEssentials
import Glibc
import LuaBridge
import Synchronization
import Tuning

/// What a session fixes that would differ otherwise.
///
///     let session = try HostSession(determinism: Determinism(seed: 7))
///
/// Results never depend on the number of threads, with or without it.
public struct Determinism: Sendable {
    /// Where `math.random` begins, and with it every sampler and every shuffle that the script gives
    /// no seed.
    public var seed: Int
    /// Whether clocks and dates, run times and log lines always say the same, studies in memory get
    /// names that repeat, and trials run one at a time whatever `n_jobs` asks for.
    public var fixesClocks: Bool

    public init(seed: Int = 0, fixesClocks: Bool = true) {
        self.seed = seed
        self.fixesClocks = fixesClocks
    }
}

/// The seeds and names of a deterministic session, one after the other.
final class SeedSource: Sendable {
    private struct State {
        var seeds: UInt64
        var names = 0
    }

    private let state: Mutex<State>
    private let first: UInt64

    init(seed: Int) {
        first = UInt64(truncatingIfNeeded: seed)
        state = Mutex(State(seeds: first))
    }

    /// From the beginning again.
    func restart() { state.withLock { $0 = State(seeds: first) } }

    /// A seed for the next generator, one of SplitMix64's numbers (Steele, Lea, Flood 2014).
    func nextSeed() -> UInt32 {
        state.withLock { state in
            state.seeds &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state.seeds
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return UInt32(truncatingIfNeeded: mixed ^ (mixed >> 31))
        }
    }

    /// "no-name-1" in place of Optuna's random names.
    func nextName() -> String {
        state.withLock { state in
            state.names += 1
            return "no-name-\(state.names)"
        }
    }
}

extension HostSession {
    /// Whether clocks stand still.
    var fixesClocks: Bool { determinism?.fixesClocks == true }

    /// Called once, before any code of the script.
    func beginDeterminism() throws {
        guard let determinism else { return }
        try restartSeeds()
        guard determinism.fixesClocks else { return }
        try lua.run(
            """
            local time, date = os.time, os.date
            os.time = function(t) return t and time(t) or 0 end
            os.clock = function() return 0 end
            os.date = function(format, t) return date(format or "!%c", t or 0) end
            """, name: "=deterministic")
    }

    /// The random numbers of a test do not depend on the tests before it.
    func restartSeeds() throws {
        guard let determinism else { return }
        seeds?.restart()
        try lua.run("math.randomseed(\(determinism.seed))")
    }

    /// Where a study is kept that names no storage; nil for the usual place.
    func memoryStorage() -> InMemoryStorage? {
        guard fixesClocks, let seeds else { return nil }
        return InMemoryStorage(
            now: { Date(timeIntervalSince1970: 0) }, makeName: { seeds.nextName() })
    }

    /// The sampler of a study that is given none; nil for the usual one.
    func defaultSampler() throws -> (any Sampler)? {
        try seeds.map { try TPESampler(seed: Int($0.nextSeed())) }
    }

    /// Local times are those of UTC from now on. For programs: it changes the process.
    static func fixTimeZone() {
        setenv("TZ", "UTC0", 1)
        tzset()
    }
}

extension LuaArguments {
    /// A seed the call gives; in a deterministic session there is always one.
    func seed() throws -> Int? {
        let given: Int? = try self["seed"]
        return given ?? session?.seeds.map { Int($0.nextSeed()) }
    }

    /// The same for datasets.
    func seed() throws -> UInt64? {
        let given: UInt64? = try self["seed"]
        return given ?? session?.seeds.map { UInt64($0.nextSeed()) }
    }
}
