// `optuna.storages`: where studies are kept, and how a script's URL becomes a storage.

public import LuaBridge
public import Tuning
public import TuningStorage

extension InMemoryStorage: LuaObject {}
extension RDBStorage: LuaObject {}

/// `optuna.storages.RetryFailedTrialCallback{ max_retry = 3 }`
final class RetryCallbackObject: LuaObject, Sendable {
    let retry: RetryHeartbeatStaleTrialCallback

    init(_ retry: RetryHeartbeatStaleTrialCallback) { self.retry = retry }
}

let storageType = LuaType.union([.string, .object("Storage")])

func storagesModule() -> LuaModule {
    let module = LuaModule("optuna.storages").class(
        LuaClass<InMemoryStorage>(
            "InMemoryStorage", doc: "Studies that live as long as the script.",
            conforms: ["Storage"]
        )
        .constructor { args in args.session?.memoryStorage() ?? InMemoryStorage() }
        .tostring { _ in "InMemoryStorage()" })
    addRDBStorage(to: module)
    addJournal(to: module)
    module.function(
        "fail_stale_trials", [.required("study", .object("Study"))],
        doc:
            "Fails the trials of dead workers, as optimize does before each trial; for ask and tell."
    ) { args in
        let study: Study = try args["study"]
        try study.failStaleTrials()
    }
    for name in ["GrpcStorageProxy", "JournalRedisStorage"] {
        addUnsupported(
            name, to: module, hint: "use \"postgresql://user:password@host/database\"")
    }
    return module
}

// MARK: - RDBStorage

private func addRDBStorage(to module: LuaModule) {
    // Both names, the one of today and the one that most scripts have.
    for name in ["RetryHeartbeatStaleTrialCallback", "RetryFailedTrialCallback"] {
        module.class(retryCallbackClass(name))
    }
    module.class(
        LuaClass<RDBStorage>(
            "RDBStorage", doc: "Studies in a database that Optuna shares.", conforms: ["Storage"]
        )
        .constructor([
            .required("url", .string, "sqlite:///study.db, postgresql://user:password@host/db"),
            .optional("engine_kwargs", .table, .nil, "connect_args = { timeout = SECONDS }"),
            .optional("skip_compatibility_check", .boolean, false),
            .keyword("heartbeat_interval", .integer, .nil, "Seconds; nil for none."),
            .keyword("grace_period", .integer, .nil, "Seconds; nil for twice the interval."),
            .keyword(
                "heartbeat_stale_trial_callback", .function, .nil,
                "Gets study and trial of a dead worker."),
            .keyword("failed_trial_callback", .function, .nil, "The older name of the same."),
            .keyword("skip_table_creation", .boolean, false),
        ]) { args in
            let url: String = try args["url"]
            try args.session?.checkStorage(url)
            return try RDBStorage(url, options: try rdbOptions(args))
        }
        .property("url", .string, doc: "Without the password.", get: { $0.url })
        .tostring { "RDBStorage(\(pythonRepr($0.url)))" })
}

private func retryCallbackClass(_ name: String) -> LuaClass<RetryCallbackObject> {
    LuaClass<RetryCallbackObject>(name, doc: "Queues a dead worker's trial again.")
        .constructor([
            .optional(
                "max_retry", .integer, .nil, range: .atLeast(0), "How often; nil for no limit."),
            .optional("inherit_intermediate_values", .boolean, false),
        ]) { args in
            RetryCallbackObject(
                RetryHeartbeatStaleTrialCallback(
                    maxRetry: try args["max_retry"],
                    inheritsIntermediateValues: try args["inherit_intermediate_values"]))
        }
        .call([.required("study", .object("Study")), .required("trial", .object("FrozenTrial"))]) {
            object, args -> LuaValue in
            let trial: FrozenTrialObject = try args["trial"]
            try object.retry.callback(args["study"], trial.trial)
            return .nil
        }
        .staticFunction(
            "retried_trial_number", [.required("trial", .object("FrozenTrial"))],
            doc: "Number of the first of a row of retried trials; nil for a trial that is no retry."
        ) { args -> Int? in
            let trial: FrozenTrialObject = try args["trial"]
            return RetryHeartbeatStaleTrialCallback.retriedTrialNumber(trial.trial)
        }
        .staticFunction(
            "retry_history", [.required("trial", .object("FrozenTrial"))],
            doc: "Numbers of the trials that this one tries again, oldest first."
        ) { args -> [Int] in
            let trial: FrozenTrialObject = try args["trial"]
            return RetryHeartbeatStaleTrialCallback.retryHistory(trial.trial)
        }
        .tostring { "\(name)(max_retry=\($0.retry.maxRetry.map(String.init) ?? "None"))" }
}

private func rdbOptions(_ args: LuaArguments) throws -> RDBStorage.Options {
    var options = RDBStorage.Options()
    options.heartbeatInterval = try args["heartbeat_interval"]
    options.gracePeriod = try args["grace_period"]
    options.skipsCompatibilityCheck = try args["skip_compatibility_check"]
    options.skipsTableCreation = try args["skip_table_creation"]
    options.timeout = try timeoutArgument(args)
    let new: LuaFunction? = try args["heartbeat_stale_trial_callback"]
    let old: LuaFunction? = try args["failed_trial_callback"]
    if new != nil && old != nil {
        throw args.invalid(
            "failed_trial_callback",
            "specify only one of `heartbeat_stale_trial_callback` and `failed_trial_callback`")
    }
    if let callback = new ?? old {
        options.staleTrialCallback = { study, trial in
            try callback.reference.state.borrow {
                _ = try callback.call(study, FrozenTrialObject(trial))
            }
        }
    }
    return options
}

/// Of SQLAlchemy's `engine_kwargs` one thing has a meaning here, the time to wait for locks.
private func timeoutArgument(_ args: LuaArguments) throws -> Double? {
    guard let table: LuaTable = try args["engine_kwargs"] else { return nil }
    var timeout: Double?
    for (key, value) in try table.pairs() {
        switch key.string {
        // Pools of connections: one connection serves a process here.
        case "pool_size", "max_overflow", "pool_pre_ping", "pool_recycle": continue
        case "connect_args":
            guard let inner = value.table else {
                throw args.invalid("engine_kwargs", "connect_args must be a table")
            }
            for (key, value) in try inner.pairs() {
                guard key.string == "timeout", let seconds = value.number, seconds >= 0 else {
                    throw args.invalid(
                        "engine_kwargs",
                        "connect_args may hold timeout = SECONDS, nothing else; "
                            + "options of PostgreSQL stand in the URL, behind '?'")
                }
                timeout = seconds
            }
        default:
            throw args.invalid(
                "engine_kwargs",
                "'\(key.string ?? key.typeName)' is not available; connect_args is")
        }
    }
    return timeout
}

// MARK: - JournalStorage

extension JournalStorage: LuaObject {}
extension JournalFileBackend: LuaObject {}

/// `JournalFileSymlinkLock(path)`, `JournalFileOpenLock(path)`
final class JournalLockObject: LuaObject, Sendable {
    let lock: JournalFileLock

    init(_ lock: JournalFileLock) { self.lock = lock }
}

private func addJournal(to module: LuaModule) {
    let journal = LuaModule("optuna.storages.journal")
    for holder in [module, journal] {
        holder
            .class(
                LuaClass<JournalStorage>(
                    "JournalStorage", doc: "Studies in a journal that Optuna shares.",
                    conforms: ["Storage"]
                )
                .constructor([.required("log_storage", .object("JournalFileBackend"))]) { args in
                    try JournalStorage(try args["log_storage"])
                }
                .tostring { "JournalStorage(\(pythonRepr($0.path)))" }
            )
            .class(lockClass("JournalFileSymlinkLock", .symlink))
            .class(lockClass("JournalFileOpenLock", .open))
    }
    journal.class(backendClass())
    module.submodule("journal", journal)
}

private func backendClass() -> LuaClass<JournalFileBackend> {
    LuaClass<JournalFileBackend>("JournalFileBackend", doc: "A file with one change a line.")
        .constructor([
            .required("file_path", .string),
            .optional("lock_obj", .any, .computed("JournalFileSymlinkLock(file_path)")),
        ]) { args in
            let lock: LuaValue = try args["lock_obj"]
            if !lock.isNil && lock.object(as: JournalLockObject.self) == nil {
                throw LuaError.mismatch(
                    path: "lock_obj", expected: "a lock of optuna.storages.journal",
                    got: lock.typeName)
            }
            return try JournalFileBackend(
                args.path("file_path"), lock: lock.object(as: JournalLockObject.self)?.lock)
        }
        .tostring { "JournalFileBackend(\(pythonRepr($0.path)))" }
}

private func lockClass(
    _ name: String, _ kind: JournalFileLock.Kind
) -> LuaClass<JournalLockObject> {
    LuaClass<JournalLockObject>(name, doc: "Keeps the writers of a journal apart.")
        .constructor([
            .required("filepath", .string, "Of the journal."),
            .optional(
                "grace_period", .integer, 30, "Seconds until a dead writer's lock is broken."),
        ]) { args in
            JournalLockObject(
                try JournalFileLock(
                    args.path("filepath"), kind: kind, gracePeriod: args["grace_period"]))
        }
}

// MARK: - Arguments

extension LuaArguments {
    /// The storage that a script names by object or URL; `nil` for a new one in memory.
    func storage(_ name: String = "storage") throws -> (any Storage)? {
        let value: LuaValue = try self[name]
        if value.isNil { return nil }
        if let storage = value.object(as: (any Storage).self) { return storage }
        guard let url = value.string else {
            throw LuaError.mismatch(
                path: name, expected: "a URL or a storage of optuna.storages",
                got: value.typeName)
        }
        try session?.checkStorage(url)
        return try RDBStorage(url)
    }

    func requiredStorage(_ name: String = "storage") throws -> any Storage {
        guard let storage = try storage(name) else { throw LuaError.missing(name: name) }
        return storage
    }
}

// MARK: - Summaries

/// What `optuna.get_all_study_summaries` lists.
final class StudySummaryObject: LuaObject, Sendable {
    let summary: StudySummary

    init(_ summary: StudySummary) { self.summary = summary }
}

func studySummaryClass() -> LuaClass<StudySummaryObject> {
    LuaClass<StudySummaryObject>("StudySummary", doc: "What there is to say about a study.")
        .property("study_name", .string, get: { $0.summary.name })
        .property(
            "direction", .string, doc: "Nil for several objectives.",
            get: { object -> String? in
                object.summary.directions.count == 1 ? object.summary.directions[0].word : nil
            }
        )
        .property(
            "directions", .sequence(.string), get: { $0.summary.directions.map(\.word) }
        )
        .property(
            "best_trial", .object("FrozenTrial"), doc: "Nil for several objectives.",
            get: { $0.summary.bestTrial.map(FrozenTrialObject.init) }
        )
        .property("user_attrs", .table, get: { $0.summary.userAttrs })
        .property("system_attrs", .table, get: { $0.summary.systemAttrs })
        .property("n_trials", .integer, get: { $0.summary.trialCount })
        .property(
            "datetime_start", .string, doc: "Local time of the first trial's start.",
            get: { localTimeText($0.summary.datetimeStart) }
        )
        .tostring { object in
            let summary = object.summary
            return "StudySummary(study_name=\(pythonRepr(summary.name)), "
                + "n_trials=\(summary.trialCount))"
        }
}
