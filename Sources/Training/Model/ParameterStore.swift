// Turns the tensors of a checkpoint into parameters: in place where the mapped bytes can be trained
// as they are, copied where types differ or a layer wants several tensors side by side.

/// Hands out the tensors of one safetensors file and keeps their memory alive.
final class ParameterStore {
    let file: SafetensorsFile
    /// "" or what the file puts before every name ("bert.").
    private let prefix: String
    /// What Python puts before the names in a loss module: "model.0.model.".
    private let qualifier: String
    private let copies: Arena
    private let gradients: Arena
    /// Dtype to save each parameter with, by name.
    private(set) var storedTypes: [String: TensorType] = [:]
    private(set) var parameters: [Parameter] = []

    init(file: SafetensorsFile, prefixes: [String], qualifier: String) throws {
        self.file = file
        self.qualifier = qualifier
        prefix =
            prefixes.first { prefix in file.tensors.contains { $0.name.hasPrefix(prefix) } } ?? ""
        // Room for every tensor, rounded up to cache lines; pages nobody uses cost nothing.
        var room = 0
        for tensor in file.tensors {
            let (sum, overflow) = room.addingReportingOverflow(tensor.count + 16)
            guard !overflow else {
                throw TrainingError.file(path: file.path, problem: "holds too many numbers")
            }
            room = sum
        }
        copies = try Arena(floats: room, hugePages: true)
        // Embedding tables are large, and few of their rows ever have a gradient.
        gradients = try Arena(floats: room, hugePages: false)
    }

    /// What the parameters keep alive.
    private var memory: [AnyObject] { [file.region, copies.region, gradients.region] }

    func contains(_ name: String) -> Bool { stored(name) != nil }

    /// A tensor used where it lies, or converted. `trained: false` gives it no gradient.
    func take(_ name: String, _ shape: [Int], trained: Bool = true) throws -> Parameter {
        let tensor = try find(name, shape)
        let value: Floats
        if let mapped = file.floatsInPlace(tensor) {
            value = mapped
        } else {
            value = try copies.allocate(tensor.count)
            file.move(tensor, into: value)
        }
        let gradient = trained ? try gradients.allocate(tensor.count) : nil
        return add(name, tensor, value, gradient)
    }

    /// Tensors of the same shape copied one after the other, gradients likewise.
    func takeStacked(_ names: [String], _ shape: [Int]) throws -> StackedParameters {
        let count = shape.reduce(1, *)
        let tensors = try names.map { try find($0, shape) }
        let value = try copies.allocate(count * names.count)
        let gradient = try gradients.allocate(count * names.count)
        let members = zip(names, tensors).enumerated().map { place, pair in
            file.move(pair.1, into: value + place * count)
            return Member(
                name: pair.0, tensor: pair.1, value: value + place * count,
                gradient: gradient + place * count)
        }
        return StackedParameters(value: value, gradient: gradient, members: members)
    }

    /// Lists a stacked tensor among the parameters; apart from taking, because Python's order is
    /// weight, bias, weight, bias.
    func list(_ stack: StackedParameters, _ place: Int) {
        let member = stack.members[place]
        _ = add(member.name, member.tensor, member.value, member.gradient)
    }

    private func add(
        _ name: String, _ tensor: StoredTensor, _ value: Floats, _ gradient: Floats?
    ) -> Parameter {
        let parameter = Parameter(
            name: name, qualifiedName: qualifier + name, shape: tensor.shape, value: value,
            gradient: gradient, memory: memory)
        storedTypes[name] = tensor.type
        parameters.append(parameter)
        return parameter
    }

    private func find(_ name: String, _ shape: [Int]) throws -> StoredTensor {
        guard let tensor = stored(name) else {
            throw TrainingError.file(
                path: file.path, problem: "tensor '\(name)' is missing",
                hint: "check that the file and config.json belong to the same model")
        }
        guard tensor.shape == shape else {
            throw TrainingError.file(
                path: file.path,
                problem: "tensor '\(name)' has the shape \(tensor.shape), the configuration asks "
                    + "for \(shape)",
                hint: "check that the file and config.json belong to the same model")
        }
        guard tensor.type.isTrainable else {
            throw TrainingError.file(
                path: file.path,
                problem: "tensor '\(name)' is of type \(tensor.type.rawValue)",
                hint: "save the model as float32, float16 or bfloat16")
        }
        return tensor
    }

    private func stored(_ name: String) -> StoredTensor? {
        if let tensor = file[prefix + name] { return tensor }
        // Names of the first TensorFlow checkpoints.
        if name.hasSuffix("LayerNorm.weight") {
            return file[prefix + name.dropLast("weight".count) + "gamma"]
        }
        if name.hasSuffix("LayerNorm.bias") {
            return file[prefix + name.dropLast("bias".count) + "beta"]
        }
        return nil
    }

    struct Member {
        let name: String
        let tensor: StoredTensor
        let value: Floats
        let gradient: Floats
    }
}

/// Several tensors of one shape, end to end.
struct StackedParameters {
    let value: Floats
    let gradient: Floats
    let members: [ParameterStore.Member]
}

/// Floats handed out front to back from one region, each piece on its own cache lines.
private final class Arena {
    let region: MemoryRegion
    private let capacity: Int
    private var used = 0

    init(floats: Int, hugePages: Bool) throws {
        capacity = floats
        region = try MemoryRegion.zeroed(floats: floats, hugePages: hugePages)
    }

    func allocate(_ count: Int) throws -> Floats {
        let rounded = (count + 15) & ~15
        guard rounded <= capacity - used else {
            throw TrainingError.internalError("parameter memory was counted wrong")
        }
        defer { used += rounded }
        return region.floats + used
    }
}
