import Foundation
import Testing
import Training

struct BLASTests {
    @Test func `OpenBLAS multiplies with the vectors that the processor has`() throws {
        BLAS.prepare()
        let chosen = ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] != nil
        let processor = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        let features = Set(processor.split { $0 == " " || $0 == "\n" })
        if !chosen, features.isSuperset(of: ["avx2", "fma"]) {
            #expect(!["", "Prescott"].contains(BLAS.core))
        }
    }

    @Test func `the choice leaves no trace in the environment`() {
        let before = ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"]
        BLAS.prepare()
        #expect(getenv("OPENBLAS_CORETYPE").map { String(cString: $0) } == before)
    }
}
