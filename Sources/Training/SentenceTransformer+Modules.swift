// The modules after the encoder: from their folders' configurations and weights.
//
// A configuration that says too little or too much is an error, as in Python: a model whose pooling was
// guessed gives wrong embeddings without a word.
import OrderedJSON

extension ModelLoader {
    func loadModule(
        _ entry: Entry, _ place: Int, _ width: Int, _ before: [SentenceModule],
        _ stores: inout [Int: ParameterStore], _ sums: inout PartialSums
    ) throws -> SentenceModule {
        // The default after a plain checkpoint.
        if entry.className.isEmpty {
            return SentenceModule(kind: .pooling(Pooling()), inputs: width, outputs: width)
        }
        let subfolder = ModelFiles.join(folder, entry.path)
        let path = ModelFiles.join(subfolder, "config.json")
        let reader = try moduleConfig(entry.className, path)
        try require(reader, "module_input_name", "sentence_embedding")
        try require(reader, "module_output_name", "sentence_embedding")
        func store() throws -> ParameterStore {
            let weights = ModelFiles.join(subfolder, "model.safetensors")
            try checkWeights(weights, subfolder)
            let made = try ParameterStore(
                file: SafetensorsFile(path: weights), prefixes: [""],
                qualifier: "model.\(place).")
            stores[place] = made
            return made
        }
        func expect(_ keys: String..., is value: Int) throws {
            try require(reader, oneOf: keys)
            for key in keys {
                let stated = try reader.size(key, default: value)
                guard stated == value else {
                    throw TrainingError.file(
                        path: path,
                        problem: "\(key) is \(stated), but the module before gives \(value)")
                }
            }
        }
        switch entry.className {
        case "Pooling":
            try expect("embedding_dimension", "word_embedding_dimension", is: width)
            let pooling = try readPooling(reader)
            return SentenceModule(
                kind: .pooling(pooling), inputs: width, outputs: width * pooling.modes.count)
        case "Normalize":
            return SentenceModule(kind: .normalize, inputs: width, outputs: width)
        case "Dropout":
            let probability = try reader.number("dropout", default: 0.2, in: 0...1)
            let index = before.reduce(0) { count, module in
                if case .dropout = module.kind { count + 1 } else { count }
            }
            return SentenceModule(
                kind: .dropout(probability: probability, index: index), inputs: width,
                outputs: width)
        case "LayerNorm":
            try expect("dimension", is: width)
            let norm = try WeightBuilder(store: store()).norm("norm", width, &sums)
            return SentenceModule(kind: .layerNorm(norm), inputs: width, outputs: width)
        default:
            try expect("in_features", is: width)
            try require(reader, oneOf: ["out_features"])
            let outputs = try reader.size("out_features", default: width)
            let dense = try readDense(reader, store(), width, outputs, &sums)
            return SentenceModule(kind: .dense(dense), inputs: width, outputs: outputs)
        }
    }

    private func readPooling(_ reader: ConfigReader) throws -> Pooling {
        let includePrompt = try reader.flag("include_prompt") ?? true
        var names: [String] = []
        if let value = reader.json["pooling_mode"] {
            names = try (value.arrayValue ?? [value]).map {
                guard let name = $0.stringValue else {
                    throw TrainingError.file(
                        path: reader.path, problem: "pooling_mode: expected a name, found \($0)")
                }
                return name
            }
        } else {
            names = try Self.poolingFlags.filter { try reader.flag($0.0) == true }.map(\.1.rawValue)
            if names.isEmpty { names = [PoolingMode.mean.rawValue] }
        }
        let modes = try names.map { name in
            guard let mode = PoolingMode(rawValue: name) else {
                throw TrainingError.file(
                    path: reader.path, problem: "pooling_mode '\(name)' is not supported",
                    hint: "supported are "
                        + PoolingMode.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return mode
        }
        guard !modes.isEmpty, modes.count <= PoolingMode.allCases.count else {
            throw TrainingError.file(
                path: reader.path, problem: "pooling_mode lists \(modes.count) modes")
        }
        return Pooling(modes: modes, includePrompt: includePrompt)
    }

    /// The booleans of releases before 5.
    private static let poolingFlags: [(String, PoolingMode)] = [
        ("pooling_mode_cls_token", .cls), ("pooling_mode_max_tokens", .max),
        ("pooling_mode_mean_tokens", .mean), ("pooling_mode_mean_sqrt_len_tokens", .meanSqrtLen),
        ("pooling_mode_weightedmean_tokens", .weightedMean), ("pooling_mode_lasttoken", .lastToken),
    ]

    /// Members of config.json, where Python refuses all others; older releases' are among them.
    private static let members: [String: [String]] = [
        "Pooling": ["embedding_dimension", "word_embedding_dimension", "pooling_mode"]
            + ["include_prompt"] + poolingFlags.map(\.0),
        "LayerNorm": ["dimension"], "Dropout": ["dropout"],
    ]

    /// config.json of a module's folder. Those of Normalize and Dropout may be missing.
    private func moduleConfig(_ className: String, _ path: String) throws -> ConfigReader {
        guard ModelFiles.isFile(path) else {
            if ["Normalize", "Dropout"].contains(className) {
                return ConfigReader(json: [:], path: path)
            }
            throw TrainingError.file(
                path: path, problem: "does not exist, and a \(className) module needs it",
                hint: "copy it from where the model came from")
        }
        let json = try ModelFiles.readObject(path)
        if let known = Self.members[className],
            let unknown = json.keys.first(where: { !known.contains($0) })
        {
            throw TrainingError.file(
                path: path, problem: "'\(unknown)' is no member of a \(className)'s configuration",
                hint: "those are \(known.joined(separator: ", "))")
        }
        return ConfigReader(json: json, path: path)
    }

    private func require(_ reader: ConfigReader, oneOf keys: [String]) throws {
        if keys.contains(where: { reader.json[$0]?.isNull == false }) { return }
        throw TrainingError.file(
            path: reader.path, problem: "\(keys[0]) is missing",
            hint: "copy the file from where the model came from")
    }

    private func readDense(
        _ reader: ConfigReader, _ store: ParameterStore, _ inputs: Int, _ outputs: Int,
        _ sums: inout PartialSums
    ) throws -> DenseLayer {
        let preset = "torch.nn.modules.activation.Tanh"
        let name = try reader.text("activation_function") ?? preset
        guard let activation = Self.activations[name.split(separator: ".").last ?? ""],
            name.hasPrefix("torch.")
        else {
            throw TrainingError.file(
                path: reader.path, problem: "activation_function '\(name)' is not supported",
                hint: "supported are torch.nn's "
                    + Self.activations.keys.sorted().joined(separator: ", "))
        }
        let builder = WeightBuilder(store: store)
        let linear = try builder.linear(
            "linear", inputs, outputs, bias: reader.flag("bias") ?? true, &sums)
        var residual = DenseLayer.Residual.none
        if try reader.flag("use_residual") ?? false {
            residual =
                inputs == outputs
                ? .identity
                : .projection(try builder.linear("residual", inputs, outputs, bias: false, &sums))
        }
        return DenseLayer(
            linear: linear, activation: activation, activationName: name, residual: residual)
    }

    private static let activations: [Substring: Activation] = [
        "Tanh": .tanh, "Identity": .identity, "ReLU": .relu, "GELU": .gelu, "Sigmoid": .sigmoid,
        "SiLU": .silu,
    ]
}
