// The modules a script can `require`. Each is declared in its own folder, by an extension of
// HostModule with one static member, and listed in `all`; nothing of it is built before the script
// asks for it.

public import LuaBridge

/// A module of the host.
public struct HostModule: Sendable {
    /// What scripts `require`.
    public let name: String
    /// The global under which the REPL has it.
    public let shortName: String
    /// Declares the module; called once for each session that requires it. The session lives
    /// longer than anything declared here, so closures may keep it `unowned`.
    let make: @Sendable (HostSession) throws -> LuaModule

    public init(
        _ name: String, shortName: String? = nil,
        _ make: @escaping @Sendable (HostSession) throws -> LuaModule
    ) {
        self.name = name
        self.shortName = shortName ?? name
        self.make = make
    }

    /// What `require` takes, and the REPL's globals; for tests and documentation.
    package static var names: [String] { all.map(\.name) }
    package static var shortNames: [String] { all.map(\.shortName) }

    static let all: [HostModule] = [.sentenceTransformers, .datasets, .optuna]
}
