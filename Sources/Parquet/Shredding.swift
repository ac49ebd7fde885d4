// From lists and structures to the levels and values of leaves; Assembly.swift goes back.

/// A leaf of the schema that is written, with what was collected for one row group.
final class LeafColumn {
    let path: [String]
    let type: ParquetType
    let maximumDefinition: Int
    let maximumRepetition: Int
    private(set) var definitions: [UInt8] = []
    private(set) var repetitions: [UInt8] = []
    /// The array that holds the values of the row group, and which of them are there, in order.
    private(set) var array: ParquetArray?
    private(set) var places: [Int] = []

    init(path: [String], type: ParquetType, definition: Int, repetition: Int) {
        self.path = path
        self.type = type
        maximumDefinition = definition
        maximumRepetition = repetition
    }

    var levelCount: Int { definitions.count }

    func appendMissing(_ definition: Int, _ repetition: Int) {
        definitions.append(UInt8(truncatingIfNeeded: definition))
        if maximumRepetition > 0 {
            repetitions.append(UInt8(truncatingIfNeeded: repetition))
        }
    }

    func append(_ array: ParquetArray, _ places: Range<Int>, _ repetition: (Int) -> Int) {
        if case .null = array.values {
            for place in places { appendMissing(maximumDefinition - 1, repetition(place)) }
            return
        }
        if self.array == nil { self.array = array }
        for place in places {
            if maximumRepetition > 0 {
                repetitions.append(UInt8(truncatingIfNeeded: repetition(place)))
            }
            let isNull = array.isNull(place)
            definitions.append(
                UInt8(truncatingIfNeeded: isNull ? maximumDefinition - 1 : maximumDefinition))
            if !isNull { self.places.append(place) }
        }
    }

    func removeAll() {
        definitions = []
        repetitions = []
        array = nil
        places = []
    }
}

/// The schema that is written: every field may be null, lists have three levels.
indirect enum WrittenField {
    case leaf(LeafColumn)
    /// - definition: level of a list that is there; its elements are one above.
    case list(definition: Int, repetition: Int, element: WrittenField)
    /// - definition: level of a structure that is there.
    case structure(definition: Int, members: [WrittenField])

    init(
        _ field: ParquetField, path: [String] = [], definition: Int = 0, repetition: Int = 0
    ) {
        let path = path + [field.name]
        let definition = definition + 1
        switch field.type {
        case .list(let element):
            self = .list(
                definition: definition, repetition: repetition + 1,
                element: WrittenField(
                    ParquetField(name: "element", type: element), path: path + ["list"],
                    definition: definition + 1, repetition: repetition + 1))
        case .structure(let fields):
            self = .structure(
                definition: definition,
                members: fields.map {
                    WrittenField(
                        $0, path: path, definition: definition, repetition: repetition)
                })
        default:
            self = .leaf(
                LeafColumn(
                    path: path, type: field.type, definition: definition, repetition: repetition))
        }
    }

    var leaves: [LeafColumn] {
        switch self {
        case .leaf(let leaf): [leaf]
        case .list(_, _, let element): element.leaves
        case .structure(_, let members): members.flatMap(\.leaves)
        }
    }

    /// Appends values `places` of an array. `repetition` is the level of each; at the start of a
    /// list within a row it is that of the list around.
    func append(
        _ array: ParquetArray, _ places: Range<Int>, _ repetition: (Int) -> Int
    ) throws(Malformed) {
        switch (self, array.values) {
        case (.leaf(let leaf), .bool), (.leaf(let leaf), .integer), (.leaf(let leaf), .float),
            (.leaf(let leaf), .string), (.leaf(let leaf), .null):
            leaf.append(array, places, repetition)
        case (.list(let definition, _, _), .null), (.structure(let definition, _), .null):
            for place in places { appendMissing(definition - 1, repetition(place)) }
        case (.list(let definition, let level, let element), .list(let offsets, let elements)):
            for place in places {
                let range = offsets[place]..<offsets[place + 1]
                if array.isNull(place) {
                    appendMissing(definition - 1, repetition(place))
                } else if range.isEmpty {
                    appendMissing(definition, repetition(place))
                } else {
                    let first = repetition(place)
                    try element.append(elements, range) { $0 == range.lowerBound ? first : level }
                }
            }
        case (.structure(let definition, let members), .structure(let values)):
            guard members.count == values.count else {
                throw Malformed(
                    "a structure of \(values.count) members instead of \(members.count)")
            }
            for place in places {
                if array.isNull(place) {
                    appendMissing(definition - 1, repetition(place))
                    continue
                }
                for (member, value) in zip(members, values) {
                    try member.append(value.values, place..<place + 1, repetition)
                }
            }
        default: throw Malformed("values of another type than the column's")
        }
    }

    /// A value that is null, or a list that is empty, from `definition` on.
    private func appendMissing(_ definition: Int, _ repetition: Int) {
        for leaf in leaves { leaf.appendMissing(definition, repetition) }
    }
}

extension ParquetArray {
    fileprivate func isNull(_ place: Int) -> Bool { isNull.map { $0[place] } ?? false }
}
