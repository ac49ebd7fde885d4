public import OrderedJSON

/// Rows of named, typed columns, as Python's `datasets.Dataset`.
///
/// START HERE for data: `loadDataset` reads files, `init(columns:)` takes values. A dataset never
/// changes; ``select(_:)``, ``shuffled(seed:)`` and their kin make new ones that share the values
/// and differ in an array of row numbers. The order of columns is the order a loss sees.
public final class Dataset: Sendable {
    public let columnNames: [String]
    public let numRows: Int
    package let storages: [ColumnStorage]
    /// Row `i` shows stored row `indices[i]`; `nil` shows all in order. Never without columns, where
    /// no row is stored.
    package let indices: [Int]?

    /// Columns of equal length in the given order; names must differ.
    public convenience init(columns: [(name: String, values: [JSONValue])]) throws {
        let storages = columns.map { column in
            var builder = ColumnBuilder()
            for value in column.values { builder.append(value) }
            return (column.name, builder.finish())
        }
        try self.init(storages: storages)
    }

    /// One object per row; columns in the order of their first appearance, null where a row has
    /// no such member.
    public convenience init(rows: [JSONObject]) throws {
        var builder = RowBuilder()
        for row in rows { builder.append(row) }
        try self.init(storages: builder.finish())
    }

    package convenience init(storages: [(name: String, storage: ColumnStorage)]) throws {
        let count = storages.first?.storage.count ?? 0
        var seen = Set<UTF8Key>()
        for (name, storage) in storages {
            guard seen.insert(UTF8Key(name)).inserted else {
                throw TrainingError.data(problem: "two columns are called '\(name)'")
            }
            guard storage.count == count else {
                throw TrainingError.data(
                    problem: "column '\(name)' has \(storage.count) rows, column "
                        + "'\(storages[0].name)' has \(count)",
                    hint: "give every column the same number of values")
            }
        }
        self.init(
            columnNames: storages.map(\.name), storages: storages.map(\.storage), indices: nil,
            numRows: count)
    }

    /// The arguments must fit: as many storages as names, all longer than every index.
    init(columnNames: [String], storages: [ColumnStorage], indices: [Int]?, numRows: Int) {
        self.columnNames = columnNames
        self.storages = storages
        self.indices = storages.isEmpty ? nil : indices
        self.numRows = numRows
    }

    /// Name and type of every column, in order.
    public var features: [FeatureType.Field] {
        zip(columnNames, storages).map { FeatureType.Field(name: $0, type: $1.type) }
    }

    /// The column of that name, `nil` when there is none. Reads the values that are still in a file.
    public func column(_ name: String) throws -> Column? {
        try columnNames.place(of: name).map {
            try Column(storage: storages[$0], indices: indices)
        }
    }

    /// The column of that name, or an error that lists the names there are.
    public func requireColumn(_ name: String) throws -> Column {
        try requireName(name)
        return try column(name)
            ?? Column(storage: ColumnStorage(type: .null, parts: []), indices: [])
    }

    /// Throws, with the names there are, when no column has that name. Reads nothing.
    public func requireName(_ name: String) throws {
        guard !columnNames.hasText(name) else { return }
        throw TrainingError.data(
            problem: "there is no column '\(name)'",
            hint: columnNames.isEmpty
                ? "the dataset has no columns"
                : "the columns are \(columnNames.map { "'\($0)'" }.joined(separator: ", "))")
    }

    /// One value; a row that there is not is a programmer's error and traps.
    public func value(row: Int, column name: String) throws -> JSONValue {
        precondition(row >= 0 && row < numRows)
        try requireName(name)
        guard let place = columnNames.place(of: name) else { return .null }
        return try storages[place].value(at: indices.map { $0[row] } ?? row)
    }

    /// One row, counted from 0. Reads the parts of columns that are still in a file.
    public func row(_ index: Int) throws -> JSONObject {
        precondition(index >= 0 && index < numRows)
        let stored = indices.map { $0[index] } ?? index
        return JSONObject(
            try zip(columnNames, storages).map { name, storage in
                (name, try storage.value(at: stored))
            })
    }
}

/// Collects rows; a column that appears late is null in the rows before it.
struct RowBuilder {
    /// A column, in a box because builders are not copied.
    private final class Slot {
        let name: String
        /// By its address, which spares a check of exclusive access for each value.
        private let builder = UnsafeMutablePointer<ColumnBuilder>.allocate(capacity: 1)

        init(_ name: String, _ type: FeatureType) {
            self.name = name
            builder.initialize(to: ColumnBuilder(type: type))
        }

        deinit {
            builder.deinitialize(count: 1)
            builder.deallocate()
        }

        func append(_ value: JSONValue) { builder.pointee.append(value) }
        func append(utf8 text: UnsafeBufferPointer<UInt8>) { builder.pointee.append(utf8: text) }
        /// Null in the rows that had no such member.
        func fill(to count: Int) {
            let present = builder.pointee.count
            if present < count { builder.pointee.appendNulls(count - present) }
        }

        func finish() -> ColumnStorage {
            var finished = ColumnBuilder()
            swap(&finished, &builder.pointee)
            return finished.finish()
        }
    }

    /// Types that columns keep while their values fit.
    private var types: [UTF8Key: FeatureType]
    private var slots: [Slot] = []
    private var positions: [UTF8Key: Int] = [:]
    /// The names of the columns.
    private(set) var keys: [[UInt8]] = []
    private(set) var count = 0

    init(types: [UTF8Key: FeatureType] = [:]) { self.types = types }

    /// A column that has not begun will take its type from its values alone.
    mutating func forgetType(of name: UTF8Key) { types[name] = nil }

    mutating func append(_ row: JSONObject) {
        for (place, member) in row.enumerated() {
            // Rows mostly list the same columns in the same order.
            let position: Int
            if place < slots.count, slots[place].name.hasSameUTF8(as: member.key) {
                position = place
            } else {
                position = positions[UTF8Key(member.key)] ?? addColumn(member.key)
            }
            slots[position].fill(to: count)
            slots[position].append(member.value)
        }
        count += 1
    }

    /// Appends a row of all columns in order; the bytes are those of the file, valid UTF-8.
    mutating func append(
        _ fields: [JSONRowScanner.Field], _ bytes: UnsafeBufferPointer<UInt8>
    ) {
        for (slot, field) in zip(slots, fields) {
            slot.fill(to: count)
            switch field {
            case .text(let range): slot.append(utf8: UnsafeBufferPointer(rebasing: bytes[range]))
            case .value(let value): slot.append(value)
            }
        }
        count += 1
    }

    private mutating func addColumn(_ name: String) -> Int {
        slots.append(Slot(name, types[UTF8Key(name)] ?? .null))
        positions[UTF8Key(name)] = slots.count - 1
        keys.append(Array(name.utf8))
        return slots.count - 1
    }

    /// Ends the collection: the builder is empty afterwards.
    func finish() -> [(name: String, storage: ColumnStorage)] {
        slots.map { slot in
            slot.fill(to: count)
            return (slot.name, slot.finish())
        }
    }
}
