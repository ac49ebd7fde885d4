// From the levels and values of leaves to lists and structures (Dremel's record assembly).
// Source: Melnik et al. 2010, "Dremel: Interactive Analysis of Web-Scale Datasets".

/// The content of every leaf below a top field, and how to put it together.
struct Assembler {
    /// Levels of the leaves, by leaf number.
    let levels: [Int: (definitions: [UInt8], repetitions: [UInt8], count: Int)]
    /// Values without nulls, by leaf number.
    let values: [Int: ParquetArray]

    /// The values of a field: one for each slot its parent has.
    func field(_ node: SchemaNode) throws(Malformed) -> ParquetArray {
        if !node.isRepeated { return try value(node) }
        return try list(
            node, outerDefinition: node.definition - 1, outerRepetition: node.repetition - 1,
            elements: try value(node))
    }

    /// The values of a field that is not repeated, or the elements of one that is.
    private func value(_ node: SchemaNode) throws(Malformed) -> ParquetArray {
        if node.isLeaf { return try leaf(node) }
        if let items = node.listItems {
            let elements = items.isElement ? try value(items.repeated) : try field(items.node)
            return try list(
                items.repeated, outerDefinition: node.definition,
                outerRepetition: node.repetition, elements: elements)
        }
        var members: [(name: String, values: ParquetArray)] = []
        for child in node.children { members.append((child.name, try field(child))) }
        let isThere = try slots(node)
        let count = isThere.count
        guard members.allSatisfy({ $0.values.count == count }) else {
            throw .damaged("the members of '\(node.name)' differ in their number of values")
        }
        return ParquetArray(
            count: count, values: .structure(members),
            isNull: isThere.contains(false) ? isThere.map { !$0 } : nil)
    }

    /// For every place a value of `node` can be: whether it is there.
    private func slots(_ node: SchemaNode) throws(Malformed) -> [Bool] {
        let levels = try levels(of: node)
        var result: [Bool] = []
        for index in 0..<levels.count {
            let definition = level(levels.definitions, index)
            if level(levels.repetitions, index) <= node.repetition,
                definition >= node.elementDefinition
            {
                result.append(definition >= node.definition)
            }
        }
        return result
    }

    private func leaf(_ node: SchemaNode) throws(Malformed) -> ParquetArray {
        guard let dense = values[node.leaves.lowerBound] else { throw .truncated }
        let isThere = try slots(node)
        var position = 0
        // Value `i` of the result is dense value `map[i]`.
        let order = isThere.map { there -> Int? in
            guard there else { return nil }
            defer { position += 1 }
            return position
        }
        guard position == dense.count else {
            throw .damaged("'\(node.name)' has \(dense.count) values for \(position) levels")
        }
        return dense.spread(order)
    }

    /// Lists whose elements are those of `repeated`.
    private func list(
        _ repeated: SchemaNode, outerDefinition: Int, outerRepetition: Int, elements: ParquetArray
    ) throws(Malformed) -> ParquetArray {
        let levels = try levels(of: repeated)
        let outerElement = outerElementDefinition(repeated)
        var offsets: [Int] = []
        var isNull: [Bool] = []
        var hasNull = false
        var count = 0
        for index in 0..<levels.count {
            let definition = level(levels.definitions, index)
            let repetition = level(levels.repetitions, index)
            if repetition <= outerRepetition, definition >= outerElement {
                offsets.append(count)
                let isMissing = definition < outerDefinition
                isNull.append(isMissing)
                if isMissing { hasNull = true }
            }
            if repetition <= outerRepetition + 1, definition >= repeated.definition { count += 1 }
        }
        offsets.append(count)
        guard count == elements.count else {
            throw .damaged("'\(repeated.name)' has \(elements.count) elements for \(count) levels")
        }
        return ParquetArray(
            count: isNull.count, values: .list(offsets: offsets, elements),
            isNull: hasNull ? isNull : nil)
    }

    /// Definition level from which the place that holds a list exists.
    private func outerElementDefinition(_ repeated: SchemaNode) -> Int {
        outerElements[repeated.leaves.lowerBound]?[repeated.repetition - 1] ?? 0
    }

    /// By leaf: definition level of each repeated field from the root on, behind a 0.
    let outerElements: [Int: [Int]]

    private func levels(
        of node: SchemaNode
    ) throws(Malformed) -> (definitions: [UInt8], repetitions: [UInt8], count: Int) {
        guard let levels = levels[node.leaves.lowerBound] else { throw .truncated }
        return levels
    }

    private func level(_ levels: [UInt8], _ index: Int) -> Int {
        levels.isEmpty ? 0 : Int(levels[index])
    }
}

extension ParquetArray {
    /// Values in another order, null where there is none.
    func spread(_ order: [Int?]) -> ParquetArray {
        let hasNull = order.contains { $0 == nil }
        let spread: Values =
            switch values {
            case .bool(let values): .bool(order.map { $0.map { values[$0] } ?? false })
            case .integer(let values): .integer(order.map { $0.map { values[$0] } ?? 0 })
            case .float(let values): .float(order.map { $0.map { values[$0] } ?? 0 })
            case .string(let texts, let positions):
                .string(
                    texts,
                    positions: !hasNull && positions == nil
                        ? nil
                        : order.map { place in
                            guard let place else { return 0 }
                            guard let positions else { return UInt32(truncatingIfNeeded: place) }
                            return positions[place]
                        })
            case .list, .structure, .null: values
            }
        return ParquetArray(
            count: order.count, values: spread, isNull: hasNull ? order.map { $0 == nil } : nil)
    }

    /// Some values in a row; lists keep all elements.
    func slice(_ range: Range<Int>) -> ParquetArray {
        if range == 0..<count { return self }
        let sliced: Values =
            switch values {
            case .bool(let values): .bool(Array(values[range]))
            case .integer(let values): .integer(Array(values[range]))
            case .float(let values): .float(Array(values[range]))
            case .string(let texts, let positions):
                .string(
                    texts,
                    positions: positions.map { Array($0[range]) }
                        ?? range.map { UInt32(truncatingIfNeeded: $0) })
            case .list(let offsets, let elements):
                .list(
                    offsets: Array(offsets[range.lowerBound...range.upperBound]), elements)
            case .structure(let members):
                .structure(members.map { ($0.name, $0.values.slice(range)) })
            case .null: .null
            }
        let nulls = isNull.map { Array($0[range]) }
        return ParquetArray(
            count: range.count, values: sliced,
            isNull: nulls?.contains(true) == true ? nulls : nil)
    }
}
