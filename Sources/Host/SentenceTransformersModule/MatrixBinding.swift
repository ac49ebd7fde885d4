// Matrices in Lua: what `encode` and `similarity` return, and those a loss computes with. Rows and
// columns count from 1. Operations are in MatrixOperations.swift.

public import LuaBridge
public import Training

extension Matrix: LuaObject {}
extension DifferentiableMatrix: LuaObject {}

func matrixClass() -> LuaClass<Matrix> {
    let declaration = LuaClass<Matrix>("Matrix", doc: "Rows of numbers, such as embeddings.")
    addConstructors(to: declaration)
    addFields(to: declaration) { $0 }
    addOperations(to: declaration) { DifferentiableMatrix($0) }
    addRanking(to: declaration) { DifferentiableMatrix($0) }
    return
        declaration
        .method("row", [.required("i", .integer)], doc: "Row i as a sequence.") { matrix, args in
            let position: Int = try args["i"]
            guard (1...max(matrix.rows, 1)).contains(position), matrix.rows > 0 else {
                throw args.invalid(
                    "i", "must be a row from 1 to \(matrix.rows), got \(position)")
            }
            return matrix.row(position - 1)
        }
        .index { matrix, key in
            // nil past the end, so that ipairs works.
            guard let position = key.integer else { return nil }
            return position >= 1 && position <= matrix.rows
                ? matrix.row(position - 1) : LuaValue.nil
        }
        .pairs { matrix in
            var row = 0
            return AnyIterator {
                guard row < matrix.rows else { return nil }
                row += 1
                return (key: row, value: matrix.row(row - 1))
            }
        }
        .method(
            "save",
            [
                .required("path", .string, "Ends in .npy or .safetensors."),
                .keyword("name", .string, "embeddings", "Of the tensor in a safetensors file."),
            ], doc: "Writes a file that numpy or safetensors reads."
        ) { matrix, args in
            try matrix.save(to: args.path("path"), name: args["name"])
        }
}

func differentiableMatrixClass() -> LuaClass<DifferentiableMatrix> {
    let declaration = LuaClass<DifferentiableMatrix>(
        "DifferentiableMatrix",
        doc: "A matrix of a loss: what is computed from it can be learnt from.")
    addFields(to: declaration) { $0.value }
    addOperations(to: declaration) { $0 }
    addRanking(to: declaration) { $0 }
    return
        declaration
        .method("row", [.required("i", .integer)], doc: "Row i as a matrix.") { matrix, args in
            let position: Int = try args["i"]
            guard position >= 1, position <= matrix.rows else {
                throw args.invalid(
                    "i", "must be a row from 1 to \(matrix.rows), got \(position)")
            }
            return MatrixResult(try matrix.indexSelect(.rows, [position - 1]))
        }
        .index { matrix, key in
            guard let position = key.integer else { return nil }
            guard position >= 1, position <= matrix.rows else { return LuaValue.nil }
            return MatrixResult(try matrix.indexSelect(.rows, [position - 1]))
        }
}

private func addFields<T: AnyObject>(
    to declaration: LuaClass<T>, _ value: @escaping (T) -> Matrix
) {
    let name = declaration.name
    declaration
        .property("rows", .integer, doc: "Number of rows.", get: { value($0).rows })
        .property("columns", .integer, doc: "Length of a row.", get: { value($0).columns })
        .property("dim", .integer, doc: "Length of a row.", get: { value($0).columns })
        .property(
            "shape", .sequence(.integer), doc: "{rows, columns}",
            get: { [value($0).rows, value($0).columns] }
        )
        .length { value($0).rows }
        .tostring { describe(value($0), name) }
        .memory { value($0).rows * value($0).columns * MemoryLayout<Float>.stride }
}

// MARK: - Making matrices

private func addConstructors(to declaration: LuaClass<Matrix>) {
    let rows = LuaParameter.required("rows", .integer, range: .atLeast(0))
    let columns = LuaParameter.required("columns", .integer, range: .atLeast(0))
    declaration.constructor(
        [
            LuaParameter(
                "rows", MatrixArgument.type, default: .required, kind: .positionalOnly,
                doc: "A sequence of rows, or of the numbers of one row.")
        ], doc: "A matrix of the given numbers."
    ) { args in
        let argument: MatrixArgument = try args["rows"]
        return argument.matrix
    }
    func filled(_ args: LuaArguments, _ name: String, _ number: Float) throws -> Matrix {
        let matrix = try Matrix.sized(args["rows"], args["columns"], for: name)
        for row in 0..<matrix.rows {
            for column in 0..<matrix.columns { matrix[row, column] = number }
        }
        return matrix
    }
    declaration
        .staticFunction("zeros", [rows, columns], doc: "A matrix of zeros.") { args in
            try Matrix.sized(args["rows"], args["columns"], for: "zeros")
        }
        .staticFunction("ones", [rows, columns], doc: "A matrix of ones.") { args in
            try filled(args, "ones", 1)
        }
        .staticFunction(
            "full", [rows, columns, .required("value", .number)], doc: "The same number everywhere."
        ) { args in
            try filled(args, "full", args["value"])
        }
        .staticFunction(
            "eye", [.required("n", .integer, range: .atLeast(0))],
            doc: "Ones on the diagonal, zeros elsewhere."
        ) { args in
            let size: Int = try args["n"]
            let matrix = try Matrix.sized(size, size, for: "eye")
            for index in 0..<size { matrix[index, index] = 1 }
            return matrix
        }
        .staticFunction(
            "cat",
            [
                .required("matrices", .sequence(.any)),
                .optional("dim", .integer, 1, "1: one below the other; 2: side by side."),
            ], doc: "Several matrices as one."
        ) { args in
            let parts: [MatrixOperand] = try args["matrices"]
            return MatrixResult(try .concat(parts.map(\.matrix), axis(args) ?? .rows))
        }
        .staticFunction(
            "load",
            [
                .required("path", .string, "Ends in .npy or .safetensors."),
                .keyword("name", .string, .nil, "The tensor of a safetensors file."),
            ], doc: "Reads a file of numpy or safetensors."
        ) { args in
            try Matrix.load(from: args.path("path"), name: args["name"])
        }
}

// MARK: - The largest numbers

private func addRanking<T: AnyObject>(
    to declaration: LuaClass<T>, _ lift: @escaping (T) -> DifferentiableMatrix
) {
    declaration.method(
        "topk",
        [
            .required("k", .integer, range: .atLeast(0)),
            .keyword("largest", .boolean, true, "The smallest ones otherwise."),
        ],
        doc: "The k largest numbers of every row in order: their matrix, and their places as a"
            + " sequence for each row."
    ) { x, args in
        let matrix = lift(x)
        let count: Int = try args["k"]
        guard count <= matrix.columns else {
            throw args.invalid("k", "must be at most \(matrix.columns), got \(count)")
        }
        let (values, places) = try matrix.topk(count, largest: args["largest"])
        return LuaResults(MatrixResult(values), places.map { $0.map { $0 + 1 } })
    }
}

/// "Matrix(1500x384)" and the corners of large ones, all numbers of small ones.
private func describe(_ matrix: Matrix, _ name: String) -> String {
    let shown = 3
    func numbers(_ row: Int) -> String {
        let values = matrix.row(row)
        func text(_ value: Float) -> String { rounded(Double(value)) }
        if values.count <= 2 * shown { return values.map(text).joined(separator: ", ") }
        return (values.prefix(shown).map(text) + ["..."] + values.suffix(shown).map(text))
            .joined(separator: ", ")
    }
    var lines = ["\(name)(\(matrix.rows)x\(matrix.columns))"]
    let isLong = matrix.rows > 2 * shown
    let top = isLong ? 0..<shown : 0..<matrix.rows
    lines += top.map { "  [\(numbers($0))]" }
    if isLong {
        lines.append("  ...")
        lines += (matrix.rows - shown..<matrix.rows).map { "  [\(numbers($0))]" }
    }
    return lines.joined(separator: "\n")
}

/// Four digits after the point, without Foundation's formatting.
private func rounded(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e9 else { return "\(value)" }
    let scaled = Int((abs(value) * 10_000).rounded())
    let fraction = String(10_000 + scaled % 10_000).dropFirst()
    return (value < 0 && scaled > 0 ? "-" : "") + "\(scaled / 10_000).\(fraction)"
}

/// Embeddings a script gives: a matrix, a sequence of numbers (one row), or a sequence of rows.
struct MatrixArgument: FromLua {
    static let type = LuaType.union([.object("Matrix"), .sequence(.any)])
    let matrix: Matrix

    static func fromLua(_ stack: LuaStack, at index: Int32) throws -> MatrixArgument {
        if stack.kind(at: index) == .userdata {
            return MatrixArgument(matrix: try Matrix.fromLua(stack, at: index))
        }
        let rows: [[Float]]
        if let single = try? [Float].fromLua(stack, at: index) {
            rows = [single]
        } else {
            rows = try [[Float]].fromLua(stack, at: index)
        }
        let columns = rows.first?.count ?? 0
        for (place, row) in rows.enumerated() where row.count != columns {
            throw LuaError.value(
                path: "[\(place + 1)]",
                problem: "has \(row.count) numbers, the first row has \(columns)")
        }
        guard
            let matrix = Matrix(rows: rows.count, columns: columns, values: rows.flatMap { $0 })
        else { throw LuaError.internalError("rows of a matrix") }
        return MatrixArgument(matrix: matrix)
    }
}
