/// Values of one column, or of the elements of one.
public struct ParquetArray: Sendable {
    public indirect enum Values: Sendable {
        case bool([Bool])
        case integer([Int64])
        case float([Double])
        /// Value `i` is text `positions[i]`; without positions text `i`.
        case string(PackedStrings, positions: [UInt32]?)
        /// Value `i` is elements `offsets[i] ..< offsets[i + 1]`.
        case list(offsets: [Int], ParquetArray)
        case structure([(name: String, values: ParquetArray)])
        case null
    }

    public let count: Int
    public let values: Values
    /// True where the value is null, whose place in `values` holds an empty one.
    public let isNull: [Bool]?

    public init(count: Int, values: Values, isNull: [Bool]?) {
        self.count = count
        self.values = values
        self.isNull = isNull
    }
}
