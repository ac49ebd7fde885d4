// Matrices in files that numpy and Python's safetensors read, and back.

import Glibc
import OrderedJSON

extension Matrix {
    /// Writes `.npy` (numpy.save) or `.safetensors` (one tensor called `name`), by the path's ending.
    ///
    /// - Throws: `TrainingError.file` for another ending, or when the file can't be written.
    public func save(to path: String, name: String = "embeddings") throws {
        if path.hasSuffix(".npy") {
            try writeNumpy(to: path)
        } else if path.hasSuffix(".safetensors") {
            let tensor = TensorToWrite(
                name: name, type: .float32, shape: [rows, columns], values: storage)
            try writeSafetensors([tensor], to: path, metadata: nil)
        } else {
            throw Self.unknownEnding(path)
        }
    }

    /// Reads what ``save(to:name:)`` or Python wrote: floating-point or integer numbers of one or two
    /// dimensions, one dimension as one row.
    ///
    /// - name: the tensor of a safetensors file; may be left out when there is only one.
    public static func load(from path: String, name: String? = nil) throws -> Matrix {
        if path.hasSuffix(".npy") { return try NumpyFile(path).matrix() }
        guard path.hasSuffix(".safetensors") else { throw unknownEnding(path) }
        let file = try SafetensorsFile(path: path)
        let names = file.tensors.map { "'\($0.name)'" }.joined(separator: ", ")
        let tensor = name.map { file[$0] } ?? (file.tensors.count == 1 ? file.tensors[0] : nil)
        guard let tensor else {
            throw TrainingError.file(
                path: path,
                problem: name.map { "has no tensor '\($0)'" }
                    ?? "has \(file.tensors.count) tensors, and no name says which",
                hint: names.isEmpty ? nil : "the tensors are \(names)")
        }
        guard tensor.type.isTrainable else {
            throw TrainingError.file(
                path: path, problem: "tensor '\(tensor.name)' is of type \(tensor.type.rawValue)",
                hint: "save it as float32")
        }
        let (rows, columns) = try sides(tensor.shape, path)
        let matrix = try Matrix.sized(rows, columns, for: "load")
        file.decode(tensor, into: matrix.storage)
        return matrix
    }

    fileprivate static func sides(_ shape: [Int], _ path: String) throws -> (Int, Int) {
        switch shape.count {
        case 0: return (1, 1)
        case 1: return (1, shape[0])
        case 2: return (shape[0], shape[1])
        default:
            throw TrainingError.file(
                path: path, problem: "has \(shape.count) dimensions, a matrix has two")
        }
    }

    private static func unknownEnding(_ path: String) -> TrainingError {
        .file(
            path: path, problem: "is neither .npy nor .safetensors",
            hint: "matrices are kept in these two")
    }

    /// Format: numpy.lib.format, version 1.0.
    private func writeNumpy(to path: String) throws {
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
        // The numbers begin at a multiple of 64 bytes.
        while (header.utf8.count + 11) % 64 != 0 { header += " " }
        header += "\n"
        let length = UInt16(header.utf8.count)
        let start: [UInt8] =
            NumpyFile.magic + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(header.utf8)
        try ModelFiles.writeAtomically(path) { writer in
            try start.withUnsafeBytes { try writer.write($0) }
            try writer.write(UnsafeRawBufferPointer(start: storage, count: rows * columns * 4))
        }
    }
}

/// A `.npy` file whose header has been checked against its size.
private struct NumpyFile {
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    let path: String
    private let region: MemoryRegion
    private let start: Int
    private let descr: String
    private let isFortran: Bool
    private let shape: [Int]

    init(_ path: String) throws {
        self.path = path
        let region = try MemoryRegion.mappedFile(path)
        self.region = region
        func broken(_ problem: String) -> TrainingError {
            .file(
                path: path, problem: "is not a whole .npy file: \(problem)", hint: "save it again")
        }
        let bytes = UnsafeRawBufferPointer(start: region.base, count: region.count)
        guard bytes.count >= 12, Array(bytes[0..<6]) == Self.magic else {
            throw broken("it does not begin as one")
        }
        guard (1...3).contains(bytes[6]) else {
            throw broken("version \(bytes[6]) is unknown")
        }
        let size = bytes[6] == 1 ? 2 : 4
        let length = (0..<size).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
        guard length <= bytes.count - 8 - size else { throw broken("its header is cut short") }
        start = 8 + size + length
        let header = String(decoding: bytes[(8 + size)..<start], as: UTF8.self)
        func field(_ name: String) throws -> Substring {
            guard let place = header.firstRange(of: "'\(name)':") else {
                throw broken("its header has no '\(name)'")
            }
            return header[place.upperBound...].drop { $0 == " " }
        }
        descr = String(try field("descr").dropFirst().prefix { $0 != "'" && $0 != "\"" })
        isFortran = try field("fortran_order").hasPrefix("True")
        let sides = try field("shape").dropFirst().prefix { $0 != ")" }
        shape = try sides.split(separator: ",").compactMap { part in
            let text = part.filter { $0 != " " && $0 != "L" }
            if text.isEmpty { return nil }
            guard let side = Int(text), side >= 0 else { throw broken("a side is '\(part)'") }
            return side
        }
    }

    func matrix() throws -> Matrix {
        let (rows, columns) = try Matrix.sides(shape, path)
        let sizes = ["<f4": 4, "<f8": 8, "<i8": 8, "<i4": 4, "|u1": 1]
        // The file must hold what its header says before memory is asked for.
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        if let size = sizes[descr],
            overflow || count > region.count / size
                || region.count - start != count * size
        {
            throw TrainingError.file(
                path: path,
                problem: "is not a whole .npy file: the shape \(shape) does not fit its"
                    + " \(region.count - start) bytes of numbers", hint: "save it again")
        }
        let matrix = try Matrix.sized(rows, columns, for: "load")
        switch descr {
        case "<f4": read(Float.self, into: matrix.storage, count) { $0 }
        case "<f8": read(Double.self, into: matrix.storage, count) { Float($0) }
        case "<i8": read(Int64.self, into: matrix.storage, count) { Float($0) }
        case "<i4": read(Int32.self, into: matrix.storage, count) { Float($0) }
        case "|u1": read(UInt8.self, into: matrix.storage, count) { Float($0) }
        default:
            throw TrainingError.file(
                path: path, problem: "holds numbers of type '\(descr)'",
                hint: "save it as float32: numpy.save(path, x.astype('float32'))")
        }
        guard isFortran, shape.count == 2 else { return matrix }
        // Column after column: the rows of the transpose.
        let turned = Matrix(rows: rows, columns: columns)
        for row in 0..<rows {
            for column in 0..<columns { turned[row, column] = matrix.storage[column * rows + row] }
        }
        return turned
    }

    private func read<T>(
        _: T.Type, into target: Floats, _ count: Int, _ convert: (T) -> Float
    ) {
        let size = MemoryLayout<T>.size
        for index in 0..<count {
            let raw = (region.base + start).loadUnaligned(fromByteOffset: index * size, as: T.self)
            target[index] = convert(raw)
        }
    }
}
