// The program of scripts/dev/fuzz.sh: libFuzzer calls it with one input after the other, for the
// reader that ST_HOST_FUZZ_TARGET names.
import Foundation
import FuzzTargets

private let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["ST_HOST_FUZZ_TARGET"] ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        fatalError("ST_HOST_FUZZ_TARGET must be one of \(FuzzTarget.allCases.map(\.rawValue))")
    }
    return target
}()

/// In memory: a disk would be the slowest part.
private let folder: String = {
    let path = "/dev/shm/st-host-fuzz-\(getpid())"
    mkdir(path, 0o700)
    return path
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    target.run(UnsafeRawBufferPointer(start: data, count: size), folder: folder)
    return 0
}
