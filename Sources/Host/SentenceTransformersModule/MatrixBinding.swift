// Matrices in Lua: what `encode` and `similarity` return. Rows and columns count from 1.

public import LuaBridge
public import Training

extension Matrix: LuaObject {}

func matrixClass() -> LuaClass<Matrix> {
    LuaClass<Matrix>("Matrix", doc: "Rows of numbers, such as embeddings.")
        .property("dim", .integer, doc: "Length of a row.", get: { $0.columns })
        .property(
            "shape", .sequence(.integer), doc: "{rows, columns}", get: { [$0.rows, $0.columns] }
        )
        .method("row", [.required("i", .integer)], doc: "Row i as a sequence.") { matrix, args in
            let position: Int = try args["i"]
            guard (1...max(matrix.rows, 1)).contains(position), matrix.rows > 0 else {
                throw args.invalid(
                    "i", "must be a row from 1 to \(matrix.rows), got \(position)")
            }
            return matrix.row(position - 1)
        }
        .method("tolist", doc: "All rows as a sequence of sequences.") { matrix, _ in
            (0..<matrix.rows).map { matrix.row($0) }
        }
        .index { matrix, key in
            // nil past the end, so that ipairs works.
            guard let position = key.integer else { return nil }
            return (1...max(matrix.rows, 1)).contains(position) && matrix.rows > 0
                ? matrix.row(position - 1) : LuaValue.nil
        }
        .length { $0.rows }
        .pairs { matrix in
            var row = 0
            return AnyIterator {
                guard row < matrix.rows else { return nil }
                row += 1
                return (key: row, value: matrix.row(row - 1))
            }
        }
        .tostring { describe($0) }
        .memory { $0.rows * $0.columns * MemoryLayout<Float>.stride }
}

/// "Matrix(1500x384)" and the corners of large ones, all numbers of small ones.
private func describe(_ matrix: Matrix) -> String {
    let shown = 3
    func numbers(_ row: Int) -> String {
        let values = matrix.row(row)
        func text(_ value: Float) -> String { rounded(Double(value)) }
        if values.count <= 2 * shown { return values.map(text).joined(separator: ", ") }
        return (values.prefix(shown).map(text) + ["..."] + values.suffix(shown).map(text))
            .joined(separator: ", ")
    }
    var lines = ["Matrix(\(matrix.rows)x\(matrix.columns))"]
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
