import Foundation
import Testing
import Training

struct BLASTests {
    /// Whether the process was started with a choice of the user's. What it has set itself is not there.
    private let isChosen: Bool

    init() throws {
        let environment = try Data(contentsOf: URL(filePath: "/proc/self/environ"))
        isChosen = environment.split(separator: 0).contains {
            $0.starts(with: Data("OPENBLAS_CORETYPE=".utf8))
        }
        BLAS.prepare()
    }

    @Test func `OpenBLAS multiplies with the vectors that the processor has`() throws {
        let processor = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        let features = Set(processor.split { $0 == " " || $0 == "\n" })
        if !isChosen, features.isSuperset(of: ["avx2", "fma"]) {
            #expect(!["", "Prescott"].contains(BLAS.core))
        }
    }

    @Test func `the choice leaves no trace in the environment`() {
        #expect((getenv("OPENBLAS_CORETYPE") != nil) == isChosen)
    }
}
