// What matrices can compute in Lua. The same methods for plain matrices, and for those of a loss
// that remember how they were made (`DifferentiableMatrix`): a result remembers when an operand does.
// Places and dimensions count from 1: dimension 1 goes over the rows, 2 over the columns.

import LuaBridge
import Training

/// A result on its way to the script: a plain matrix unless it belongs to a loss's step.
struct MatrixResult: IntoLua {
    let matrix: DifferentiableMatrix

    init(_ matrix: DifferentiableMatrix) { self.matrix = matrix }

    func push(onto stack: LuaStack) throws {
        if matrix.tape == nil {
            try matrix.value.push(onto: stack)
        } else {
            try matrix.push(onto: stack)
        }
    }
}

/// An operand: a number, a matrix of either kind, or a sequence of numbers or rows.
struct MatrixOperand: FromLua {
    static let type = LuaType.union([
        .number, .object("Matrix"), .object("DifferentiableMatrix"), .sequence(.any),
    ])
    let matrix: DifferentiableMatrix

    static func fromLua(_ stack: LuaStack, at index: Int32) throws -> MatrixOperand {
        let value = try LuaValue.fromLua(stack, at: index)
        if let matrix = operand(value) { return MatrixOperand(matrix: matrix) }
        return MatrixOperand(
            matrix: DifferentiableMatrix(try MatrixArgument.fromLua(stack, at: index).matrix))
    }

    static func operand(_ value: LuaValue) -> DifferentiableMatrix? {
        if let number = value.number { return DifferentiableMatrix(number) }
        if let matrix = value.object(as: Matrix.self) { return DifferentiableMatrix(matrix) }
        return value.object(as: DifferentiableMatrix.self)
    }
}

private typealias Unary = (DifferentiableMatrix) throws -> DifferentiableMatrix
private typealias Binary = (DifferentiableMatrix, DifferentiableMatrix) throws ->
    DifferentiableMatrix

/// Adds all operations to a class; `lift` makes its objects operands.
func addOperations<T: AnyObject>(
    to declaration: LuaClass<T>, _ lift: @escaping (T) -> DifferentiableMatrix
) {
    addArithmetic(to: declaration, lift)
    addFunctions(to: declaration, lift)
    addProducts(to: declaration, lift)
    addReductions(to: declaration, lift)
    addIndexing(to: declaration, lift)
}

/// The optional dimension of a reduction.
let dimension = LuaParameter.optional(
    "dim", .integer, .computed("all numbers"), "1: over the rows; 2: over the columns.")
let neededDimension = LuaParameter.optional(
    "dim", .integer, 2, "1: over the rows; 2: over the columns.")

func axis(_ args: LuaArguments) throws -> Axis? {
    let dim: Int? = try args["dim"]
    switch dim {
    case nil: return nil
    case 1, -2: return .rows
    case 2, -1: return .columns
    case let other?:
        throw args.invalid("dim", "must be 1 (over the rows) or 2 (over the columns), got \(other)")
    }
}

private func operand(_ args: LuaArguments, _ name: String) throws -> DifferentiableMatrix {
    let operand: MatrixOperand = try args[name]
    return operand.matrix
}

// MARK: - Arithmetic

private func addArithmetic<T: AnyObject>(
    to declaration: LuaClass<T>, _ lift: @escaping (T) -> DifferentiableMatrix
) {
    let binary: [(name: String, sign: LuaOperator?, doc: String, body: Binary)] = [
        ("add", .add, "x + y", { try $0.add($1) }), ("sub", .sub, "x - y", { try $0.sub($1) }),
        ("mul", .mul, "x * y, number by number", { try $0.mul($1) }),
        ("div", .div, "x / y, number by number", { try $0.div($1) }),
        ("maximum", nil, "The larger of two numbers.", { try $0.maximum($1) }),
        ("minimum", nil, "The smaller of two numbers.", { try $0.minimum($1) }),
    ]
    for (name, sign, doc, body) in binary {
        declaration.method(name, [.required("other", MatrixOperand.type)], doc: doc) { x, args in
            MatrixResult(try body(lift(x), operand(args, "other")))
        }
        guard let sign else { continue }
        declaration.operator(sign) { left, right in
            MatrixResult(try body(signOperand(left, name), signOperand(right, name)))
        }
    }
    for comparison in Comparison.allCases {
        declaration.method(
            comparison.rawValue, [.required("other", MatrixOperand.type)],
            doc: "1 where the comparison holds, else 0."
        ) { x, args in
            MatrixResult(try lift(x).compare(comparison, operand(args, "other")))
        }
    }
    declaration.operator(.unm) { value, _ in
        MatrixResult(try signOperand(value, "neg").negated())
    }
    declaration.operator(.pow) { left, right in
        guard let exponent = right.number else {
            throw LuaError.mismatch(path: "pow", expected: "number", got: right.typeName)
        }
        return MatrixResult(try signOperand(left, "pow").pow(exponent))
    }
    declaration.method("pow", [.required("exponent", .number)], doc: "x ^ exponent") { x, args in
        MatrixResult(try lift(x).pow(args["exponent"]))
    }
    declaration.method(
        "clamp", [.optional("min", .number), .optional("max", .number)],
        doc: "Numbers below min become min, above max max."
    ) { x, args in
        let lower: Double? = try args["min"]
        let upper: Double? = try args["max"]
        return MatrixResult(
            try lift(x).clamp(lower: lower ?? -.infinity, upper: upper ?? .infinity))
    }
    declaration.method(
        "where", [.required("x", MatrixOperand.type), .required("y", MatrixOperand.type)],
        doc: "x where this matrix is not 0, y elsewhere."
    ) { mask, args in
        MatrixResult(try .where(lift(mask), operand(args, "x"), operand(args, "y")))
    }
    declaration.method(
        "masked_fill",
        [.required("mask", MatrixOperand.type), .required("value", .number)],
        doc: "value where mask is not 0."
    ) { x, args in
        MatrixResult(try lift(x).maskedFill(operand(args, "mask"), args["value"]))
    }
}

private func signOperand(_ value: LuaValue, _ name: String) throws -> DifferentiableMatrix {
    guard let operand = MatrixOperand.operand(value) else {
        throw LuaError.message(
            "\(name): expected number or Matrix, got \(value.typeName)"
                + (value.table == nil ? "" : "; st.Matrix{...} makes one of a sequence"))
    }
    return operand
}

private func addFunctions<T: AnyObject>(
    to declaration: LuaClass<T>, _ lift: @escaping (T) -> DifferentiableMatrix
) {
    let functions: [(name: String, doc: String, body: Unary)] = [
        ("exp", "e to the power of each number.", { try $0.exp() }),
        ("log", "Natural logarithms.", { try $0.log() }),
        ("sqrt", "Square roots.", { try $0.sqrt() }),
        ("abs", "Without signs.", { try $0.abs() }),
        ("neg", "With the other sign.", { try $0.negated() }),
        ("relu", "0 for negative numbers.", { try $0.relu() }),
        ("tanh", "Hyperbolic tangents.", { try $0.tanh() }),
        ("sigmoid", "1 / (1 + exp(-x))", { try $0.sigmoid() }),
        ("softplus", "log(1 + exp(x))", { try $0.softplus() }),
        ("t", "Rows become columns.", { try $0.transpose() }),
        ("transpose", "Rows become columns.", { try $0.transpose() }),
        ("normalize", "Rows of length 1.", { try $0.normalize() }),
        ("diagonal", "The numbers on the diagonal: one column.", { try $0.diagonal() }),
        ("detach", "The same numbers as a constant.", { $0.detach() }),
    ]
    for (name, doc, body) in functions {
        declaration.method(name, doc: doc) { x, _ in MatrixResult(try body(lift(x))) }
    }
}

// MARK: - Products

private func addProducts<T: AnyObject>(
    to declaration: LuaClass<T>, _ lift: @escaping (T) -> DifferentiableMatrix
) {
    let products: [(name: String, doc: String, body: Binary)] = [
        ("matmul", "The matrix product.", { try $0.matmul($1) }),
        ("cos_sim", "Cosines of all rows with all rows.", { try $0.cosineSimilarity($1) }),
        ("dot_score", "Dot products of all rows with all rows.", { try $0.dotScores($1) }),
        ("pairwise_cos_sim", "Cosines row by row: one column.", { try $0.pairwiseCosine($1) }),
        (
            "pairwise_dot_score", "Dot products row by row: one column.",
            { try $0.pairwiseDot($1) }
        ),
    ]
    for (name, doc, body) in products {
        declaration.method(name, [.required("other", MatrixOperand.type)], doc: doc) { x, args in
            MatrixResult(try body(lift(x), operand(args, "other")))
        }
    }
}

// MARK: - Reductions

private func addReductions<T: AnyObject>(
    to declaration: LuaClass<T>, _ lift: @escaping (T) -> DifferentiableMatrix
) {
    typealias Body = (DifferentiableMatrix, Axis?) throws -> DifferentiableMatrix
    let reductions: [(name: String, doc: String, body: Body)] = [
        ("sum", "Sums.", { try $0.sum($1) }), ("mean", "Means.", { try $0.mean($1) }),
        ("max", "The largest numbers.", { try $0.max($1) }),
        ("min", "The smallest numbers.", { try $0.min($1) }),
        ("norm", "Euclidean lengths.", { try $0.norm($1) }),
        ("logsumexp", "Logarithms of sums of exponentials.", { try $0.logsumexp($1) }),
    ]
    for (name, doc, body) in reductions {
        declaration.method(name, [dimension], doc: doc) { x, args in
            MatrixResult(try body(lift(x), axis(args)))
        }
    }
    declaration.method("softmax", [neededDimension], doc: "exp(x) over their sum.") { x, args in
        MatrixResult(try lift(x).softmax(axis(args) ?? .columns))
    }
    declaration.method(
        "log_softmax", [neededDimension], doc: "Logarithms of softmax."
    ) { x, args in
        MatrixResult(try lift(x).logSoftmax(axis(args) ?? .columns))
    }
    declaration.method(
        "argmax", [neededDimension], doc: "Places of the largest numbers: a sequence."
    ) { x, args in
        try lift(x).argmax(axis(args) ?? .columns).map { $0 + 1 }
    }
    let reductionNames = DifferentiableMatrix.Reduction.allCases.map(\.rawValue)
    declaration.method(
        "cross_entropy",
        [
            .optional(
                "targets", .union([.sequence(.integer), .object("Matrix")]),
                .computed("row i has target i"), "The right column of every row."),
            .keyword(
                "label_smoothing", .number, 0.0, range: .between(0, 1),
                "Share of the weight that is spread over all columns."),
            .keyword("reduction", .oneOf(reductionNames), "mean"),
        ], doc: "-log softmax at each row's target."
    ) { x, args in
        let matrix = lift(x)
        let targets = try places(args, "targets") ?? Array(0..<matrix.rows)
        return MatrixResult(
            try matrix.crossEntropy(
                targets, labelSmoothing: args["label_smoothing"],
                reduction: choice(args, "reduction") ?? .mean))
    }
}

/// Places that count from 1 in the script: a sequence of integers, or the numbers of a matrix.
private func places(_ args: LuaArguments, _ name: String) throws -> [Int]? {
    let value: LuaValue = try args[name]
    if value.isNil { return nil }
    guard let matrix = value.object(as: Matrix.self) else {
        let given: [Int] = try args[name]
        return try given.map { try fromOne($0, name) }
    }
    return try matrix.values.map { number in
        guard let place = Int(exactly: number) else {
            throw args.invalid(name, "expected integers, got \(number)")
        }
        return try fromOne(place, name)
    }
}

private func fromOne(_ place: Int, _ name: String) throws -> Int {
    guard place >= 1 else {
        throw LuaError.value(path: name, problem: "places count from 1, got \(place)")
    }
    return place - 1
}

// MARK: - Indexing

private func addIndexing<T: AnyObject>(
    to declaration: LuaClass<T>, _ lift: @escaping (T) -> DifferentiableMatrix
) {
    declaration.method(
        "slice",
        [
            .optional("first", .integer, 1, "First row; negative from the end."),
            .optional("last", .integer, -1, "Last row, part of the slice."),
            .optional("first_column", .integer, 1), .optional("last_column", .integer, -1),
        ], doc: "Rows first to last, and of them the columns: a matrix."
    ) { x, args in
        let matrix = lift(x)
        return MatrixResult(
            try matrix.slice(
                rows: range(args, "first", "last", matrix.rows),
                columns: range(args, "first_column", "last_column", matrix.columns)))
    }
    declaration.method(
        "index_select",
        [
            .required("dim", .integer, "1: choose rows; 2: columns."),
            .required("indices", .union([.sequence(.integer), .object("Matrix")])),
        ], doc: "The rows or columns at these places, in that order."
    ) { x, args in
        MatrixResult(
            try lift(x).indexSelect(axis(args) ?? .rows, places(args, "indices") ?? []))
    }
    declaration.method(
        "gather",
        [.required("indices", .sequence(.any), "A column for each row, or a sequence of them.")],
        doc: "From each row the numbers at its places."
    ) { x, args in
        let values: [LuaValue] = try args["indices"]
        if values.allSatisfy({ $0.integer != nil }) {
            let single: [Int] = try args["indices"]
            return MatrixResult(
                try lift(x).gather(single.map { [try fromOne($0, "indices")] }))
        }
        let several: [[Int]] = try args["indices"]
        return MatrixResult(
            try lift(x).gather(several.map { try $0.map { try fromOne($0, "indices") } }))
    }
    declaration.method(
        "reshape",
        [
            .required("rows", .integer, range: .atLeast(0)),
            .required("columns", .integer, range: .atLeast(0)),
        ], doc: "The same numbers, row after row, in another shape."
    ) { x, args in
        MatrixResult(try lift(x).reshape(rows: args["rows"], columns: args["columns"]))
    }
    declaration.method("item", doc: "The only number of a 1x1 matrix.") { x, _ in
        let matrix = lift(x)
        guard let number = matrix.number else {
            throw LuaError.message("item: expected a matrix of 1x1, got \(matrix.shapeText)")
        }
        return number
    }
    declaration.method("tolist", doc: "All rows as a sequence of sequences.") { x, _ in
        let value = lift(x).value
        return (0..<value.rows).map { value.row($0) }
    }
}

/// `first`...`last` of `count`, counted from 1 or from the end, as in string.sub but within bounds.
private func range(
    _ args: LuaArguments, _ first: String, _ last: String, _ count: Int
) throws -> Range<Int> {
    func place(_ name: String) throws -> Int {
        let given: Int = try args[name]
        return given < 0 ? count + 1 + max(given, -count - 1) : given
    }
    let lower = try place(first)
    let upper = try place(last)
    guard lower >= 1 else {
        throw args.invalid(first, "must be from 1 to \(count), got \(lower)")
    }
    guard upper <= count else {
        throw args.invalid(last, "must be from 1 to \(count), got \(upper)")
    }
    return lower - 1..<max(upper, lower - 1)
}
