// Checkpoints: a model folder that loads like any other, and beside the model what is needed to go on
// as if nothing had happened.
//
//     checkpoint-<step>/   the model's own files
//       optimizer.safetensors   moments of every parameter, under "<parameter>.exp_avg" and so on
//       scheduler.json          learning rates, and the state of a metric-driven schedule
//       rng_state.json          torch's generator and the counter of dropout
//       trainer_state.json      Python's trainer_state.json, plus where in the epoch the run stands

import Glibc
import OrderedJSON
import RandomGenerators

extension SentenceTransformerTrainer {
    /// Writes the model as it is now; `args.outputDir` when no folder is given.
    public func saveModel(to path: String? = nil) throws {
        if path?.isEmpty == true {
            throw TrainingError.argument(
                owner: "SentenceTransformerTrainer", name: "output_dir", problem: "is empty",
                hint: "name the folder to write, or leave it out for the arguments' output_dir")
        }
        try model.save(to: path ?? args.outputDir)
    }

    func saveCheckpoint() throws {
        let name = "checkpoint-\(state.globalStep)"
        let path = ModelFiles.join(runDir, name)
        try ModelFiles.makeFolder(runDir)
        // A run that is killed while it writes leaves no folder that looks like a checkpoint.
        let unfinished = ModelFiles.join(runDir, "tmp-\(name)")
        try removeFolder(unfinished)
        try describeModel()
        try model.save(to: unfinished)
        if let best = state.bestGlobalStep {
            let folder = ModelFiles.join(runDir, "checkpoint-\(best)")
            if best == state.globalStep || ModelFiles.isFolder(folder) {
                state.bestModelCheckpoint = folder
            }
        }
        if !args.saveOnlyModel {
            try saveOptimizer(to: unfinished)
            try saveRandomState(to: unfinished)
        }
        try ModelFiles.write(
            stateJSON().json(.init(indent: 2)) + "\n",
            to: ModelFiles.join(unfinished, "trainer_state.json"))
        try removeFolder(path)
        guard rename(unfinished, path) == 0 else {
            throw TrainingError.file(
                path: path, problem: "cannot be written (\(lastSystemError()))")
        }
        try removeOldCheckpoints()
    }

    private func stateJSON() -> JSONValue {
        var callbacks: JSONObject = [:]
        for callback in self.callbacks {
            if let (name, state) = callback.exportedState { callbacks[name] = state }
        }
        callbacks["TrainerControl"] = control.json
        var json = state.json(callbacks: callbacks)
        json["epoch_index"] = JSONValue(position.epoch)
        json["batches_in_epoch"] = JSONValue(position.batches)
        return JSONValue(json)
    }

    private func saveOptimizer(to folder: String) throws {
        guard let optimizer else { return }
        try writeSafetensors(
            optimizer.state.map {
                TensorToWrite(
                    name: $0.name, type: .float32, shape: $0.shape, values: ConstFloats($0.values))
            }, to: ModelFiles.join(folder, "optimizer.safetensors"))
        var json: JSONObject = [
            "last_epoch": JSONValue(state.globalStep),
            "optimizer_steps": JSONValue(optimizer.steps),
            "_last_lr": JSONValue(optimizer.groups.map { JSONValue($0.learningRate) }),
            "optim": JSONValue(args.optim),
        ]
        if let metric = metricSchedule?.state { json["metric_schedule"] = metric.json }
        try ModelFiles.write(
            JSONValue(json).json(.init(indent: 2)) + "\n",
            to: ModelFiles.join(folder, "scheduler.json"))
    }

    private func saveRandomState(to folder: String) throws {
        let json: JSONValue = [
            "initial_seed": .init(String(generator.initialSeed)),
            "position": .init(generator.state.position),
            "words": .init(generator.state.words.map { JSONValue(Int($0)) }),
            "batches_trained": .init(batchesTrained),
        ]
        try ModelFiles.write(
            json.json() + "\n", to: ModelFiles.join(folder, "rng_state.json"))
    }

    // MARK: - Housekeeping

    /// Checkpoints of this run, lowest step first.
    func checkpoints() -> [(step: Int, path: String)] {
        guard let folder = opendir(runDir) else { return [] }
        defer { closedir(folder) }
        var found: [(step: Int, path: String)] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let prefix = "checkpoint-"
            guard name.hasPrefix(prefix), let step = Int(name.dropFirst(prefix.count)) else {
                continue
            }
            let path = ModelFiles.join(runDir, name)
            if ModelFiles.isFolder(path) { found.append((step, path)) }
        }
        return found.sorted { $0.step < $1.step }
    }

    /// `save_total_limit`: the oldest go, the newest and the best stay.
    private func removeOldCheckpoints() throws {
        guard let limit = args.saveTotalLimit, limit > 0 else { return }
        let all = oldestFirst(checkpoints())
        let newest = ModelFiles.join(runDir, "checkpoint-\(state.globalStep)")
        let kept = Set([newest, state.bestModelCheckpoint].compactMap { $0 })
        var excess = all.count - max(limit, kept.count)
        for checkpoint in all where excess > 0 && !kept.contains(checkpoint.path) {
            try removeFolder(checkpoint.path)
            excess -= 1
        }
    }

    /// By the time they were written: an earlier run in the same folder may have gone further. Times
    /// that are all within a second say nothing on some file systems; then by step, as in Python.
    private func oldestFirst(
        _ checkpoints: [(step: Int, path: String)]
    ) -> [(step: Int, path: String)] {
        let timed = checkpoints.map { checkpoint in
            var status = stat()
            let isKnown = stat(checkpoint.path, &status) == 0
            let time = status.st_mtim
            return (
                time: isKnown ? Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9 : 0,
                checkpoint: checkpoint
            )
        }
        let times = timed.map(\.time)
        guard let first = times.min(), let last = times.max(), last - first >= 1 else {
            return checkpoints
        }
        return timed.sorted { ($0.time, $0.checkpoint.step) < ($1.time, $1.checkpoint.step) }
            .map(\.checkpoint)
    }

    /// At the end of a run with `save_total_limit = 1` only the best checkpoint stays.
    func removeAllButBest() throws {
        guard let best = state.bestModelCheckpoint, args.saveTotalLimit == 1 else { return }
        for checkpoint in checkpoints() where checkpoint.path != best {
            try removeFolder(checkpoint.path)
        }
    }
}

extension MetricDrivenSchedule.State {
    var json: JSONValue {
        [
            "best": .init(best), "num_bad_epochs": .init(badEvaluations),
            "num_good_epochs": .init(goodEvaluations), "cooldown_counter": .init(cooldown),
            "warmup_counter": .init(warmup), "reset_start": .init(resetStart),
            "window": .init(window.map { JSONValue($0) }), "window_sum": .init(windowSum),
        ]
    }
}

/// Removes a folder and what is in it; nothing happens when there is none. Links are removed, not
/// followed.
func removeFolder(_ path: String) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFDIR {
        var names: [String] = []
        if let folder = opendir(path) {
            while let entry = readdir(folder) {
                names.append(
                    withUnsafePointer(to: &entry.pointee.d_name) {
                        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                    })
            }
            closedir(folder)
        }
        for name in names where name != "." && name != ".." {
            try removeFolder(ModelFiles.join(path, name))
        }
        guard rmdir(path) == 0 else {
            throw TrainingError.file(
                path: path, problem: "cannot be removed (\(lastSystemError()))")
        }
    } else if unlink(path) != 0 {
        throw TrainingError.file(path: path, problem: "cannot be removed (\(lastSystemError()))")
    }
}
