/// How a CSV file is written; the defaults are those of `load_dataset("csv")`.
public struct CSVOptions: Sendable {
    /// Values of `quoting`, with the numbers of Python's `csv` module. Reading knows two ways: with
    /// quotes and without.
    public enum Quoting: Int, Sendable, CaseIterable {
        case minimal, all, nonNumeric, none
    }

    /// Where the names of the columns are.
    public enum Header: Sendable {
        /// In the first record, unless ``columnNames`` are given.
        case automatic
        /// In a record counted from 0; those before it are passed over.
        case record(Int)
        /// Nowhere: without ``columnNames`` the columns are called "0", "1" and so on.
        case none
    }

    /// One ASCII character between fields; a tab for TSV.
    public var delimiter: UInt8 = UInt8(ascii: ",")
    public var quote: UInt8 = UInt8(ascii: "\"")
    /// With `none` a quote is a character like any other.
    public var quoting = Quoting.minimal
    /// Two quotes in a quoted field stand for one; otherwise a quote always ends the field.
    public var doublesQuotes = true
    /// Takes the character behind it as it is, within quotes and without.
    public var escape: UInt8?
    /// Passes over blanks behind a delimiter.
    public var skipsInitialSpace = false
    /// Where this character starts a field or stands in one without quotes, the line ends; a line
    /// that starts with it is passed over.
    public var comment: UInt8?
    /// Passes over empty lines and lines of blanks; otherwise they are records of one empty field.
    public var skipsBlankLines = true
    /// Lines before the header that are not looked at.
    public var skippedLines = 0
    public var header = Header.automatic
    /// Names of the columns in place of those in the header.
    public var columnNames: [String]?
    /// Empty fields and words such as NA, null, None and nan are null, as pandas has it.
    public var keepsDefaultNulls = true
    /// More words that are null.
    public var nulls: [String] = []

    public init() {}

    /// Whether nothing but delimiters, quotes and line breaks is special.
    var isPlain: Bool {
        doublesQuotes && escape == nil && !skipsInitialSpace && comment == nil
    }
}
