// PostgreSQL's C library, loaded when a postgresql:// URL is first used.
//
// Linked, it would bring libldap, krb5 and a dozen others into every start of st-host; loaded late,
// it costs nothing where it is not used and may be missing. The interface below has been the same
// since libpq.so.5 exists.

import Glibc

/// The functions of libpq that the driver calls, named as there.
struct LibPQ: Sendable {
    typealias Connection = OpaquePointer
    typealias Result = OpaquePointer
    typealias Strings = UnsafePointer<UnsafePointer<CChar>?>

    let connectdbParams: @convention(c) (Strings, Strings, Int32) -> Connection?
    let status: @convention(c) (Connection?) -> Int32
    let errorMessage: @convention(c) (Connection?) -> UnsafePointer<CChar>?
    let finish: @convention(c) (Connection?) -> Void
    let setNoticeProcessor:
        @convention(c) (
            Connection?, @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Void,
            UnsafeMutableRawPointer?
        ) -> OpaquePointer?
    let exec: @convention(c) (Connection?, UnsafePointer<CChar>) -> Result?
    let execParams:
        @convention(c) (
            Connection?, UnsafePointer<CChar>, Int32, UnsafePointer<UInt32>?, Strings?,
            UnsafePointer<Int32>?, UnsafePointer<Int32>?, Int32
        ) -> Result?
    let resultStatus: @convention(c) (Result?) -> Int32
    let resultErrorField: @convention(c) (Result?, Int32) -> UnsafePointer<CChar>?
    let clear: @convention(c) (Result?) -> Void
    let ntuples: @convention(c) (Result?) -> Int32
    let getisnull: @convention(c) (Result?, Int32, Int32) -> Int32
    let getvalue: @convention(c) (Result?, Int32, Int32) -> UnsafePointer<CChar>?
    let getlength: @convention(c) (Result?, Int32, Int32) -> Int32
    let fname: @convention(c) (Result?, Int32) -> UnsafePointer<CChar>?
    let cmdTuples: @convention(c) (Result?) -> UnsafePointer<CChar>?

    static let connectionOK: Int32 = 0
    static let commandOK: Int32 = 1
    static let tuplesOK: Int32 = 2
    /// PG_DIAG_SQLSTATE and PG_DIAG_MESSAGE_PRIMARY
    static let sqlState = Int32(UInt8(ascii: "C"))
    static let primaryMessage = Int32(UInt8(ascii: "M"))

    /// The library, or why it can't be used.
    static let shared: Swift.Result<LibPQ, SQLError> = Swift.Result { try LibPQ() }
        .mapError { $0 as? SQLError ?? SQLError(.other, "\($0)") }

    private init() throws {
        guard let library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL) else {
            throw SQLError(
                .other,
                "postgresql:// needs the library libpq.so.5; install the Debian package 'libpq5' "
                    + "(apt-get install libpq5), or use sqlite:///study.db")
        }
        func symbol<Function>(_ name: String, as type: Function.Type) throws -> Function {
            guard let address = dlsym(library, name) else {
                throw SQLError(.other, "libpq.so.5 has no function \(name); install a newer one")
            }
            return unsafeBitCast(address, to: type)
        }
        func load<Function>(_ name: String) throws -> Function {
            try symbol("PQ" + name, as: Function.self)
        }
        connectdbParams = try load("connectdbParams")
        status = try load("status")
        errorMessage = try load("errorMessage")
        finish = try load("finish")
        setNoticeProcessor = try load("setNoticeProcessor")
        exec = try load("exec")
        execParams = try load("execParams")
        resultStatus = try load("resultStatus")
        resultErrorField = try load("resultErrorField")
        clear = try load("clear")
        ntuples = try load("ntuples")
        getisnull = try load("getisnull")
        getvalue = try load("getvalue")
        getlength = try load("getlength")
        fname = try load("fname")
        cmdTuples = try load("cmdTuples")
    }
}
