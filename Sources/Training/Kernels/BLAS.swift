// What OpenBLAS has to be told before it is used. Its products are those of processors without AVX-512.
import COpenBLAS

package enum BLAS {
    /// Chooses the kernels for a processor that OpenBLAS does not know, and ends its threads: every
    /// task calls BLAS by itself, and BLAS threads on top would fight over the same cores.
    ///
    /// The first call has to come before any BLAS function is called; others change nothing.
    package static func prepare() { _ = isPrepared }

    // Once: OpenBLAS would start its threads again if it was told their number again.
    private static let isPrepared: Void = {
        st_choose_blas_core()
        openblas_set_num_threads(1)
        st_stop_blas_threads()
    }()

    /// The kind of processor that OpenBLAS multiplies for, in its words.
    package static var core: String { String(cString: st_blas_core()) }
}
