// What the optimizers other than AdamW share: tensors of state, and pieces of parameters that threads
// can work on side by side.

/// One tensor of an optimizer's state for one parameter, zero at first.
package final class StateTensor {
    let tensor: OptimizerTensor
    private let region: MemoryRegion

    var values: UnsafeMutablePointer<Float> { tensor.values }

    /// - shape: the parameter's own when left out.
    /// - Throws: when there is no memory.
    init(_ parameter: Parameter, _ name: String, shape: [Int]? = nil) throws {
        let shape = shape ?? parameter.shape
        let count = shape.reduce(1, *)
        region = try MemoryRegion.zeroed(floats: count)
        tensor = OptimizerTensor(
            name: "\(parameter.qualifiedName).\(name)", shape: shape, values: region.floats,
            count: count)
    }
}

/// A piece of one parameter: small enough to share out, large enough to be worth it.
struct ParameterPiece {
    let group: ParameterGroup
    let parameter: Parameter
    /// Places in the optimizer's own lists.
    let groupIndex: Int
    let parameterIndex: Int
    let range: Range<Int>
}

/// Calls `body` for all pieces of parameters that have a gradient, on the threads of `pool`.
func forEachPiece(
    of groups: [ParameterGroup], pool: WorkerPool?, _ body: (ParameterPiece) -> Void
) {
    let longest = 1 << 16
    var pieces: [ParameterPiece] = []
    for (groupIndex, group) in groups.enumerated() {
        for (index, parameter) in group.parameters.enumerated() {
            for start in stride(from: 0, to: parameter.count, by: longest) {
                pieces.append(
                    ParameterPiece(
                        group: group, parameter: parameter, groupIndex: groupIndex,
                        parameterIndex: index,
                        range: start..<min(start + longest, parameter.count)))
            }
        }
    }
    guard let pool else {
        for piece in pieces { body(piece) }
        return
    }
    pool.run(pieces.count) { task, _ in body(pieces[task]) }
}
