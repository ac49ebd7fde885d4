#ifndef ST_COPENBLAS_SHIM_H
#define ST_COPENBLAS_SHIM_H

#include <cblas.h>
#include <stdbool.h>

/// Ends the threads that OpenBLAS has started by itself when it was loaded, which wait for work by
/// asking for it over and over, for a tenth of a second. Without effect where there are none. The
/// function is what OpenBLAS itself calls before a process forks.
int blas_thread_shutdown_(void) __attribute__((weak));
static inline void st_stop_blas_threads(void) {
    if (blas_thread_shutdown_) blas_thread_shutdown_();
}

/// Whether the build's instruction set multiplies and adds in one step. Swift has no such check;
/// without it a fused operation would become one call of the C library per lane.
static inline bool st_has_fma(void) {
#if defined(__FMA__) || defined(__aarch64__)
    return true;
#else
    return false;
#endif
}

/// Whether the build's registers hold a tile of 28 vectors of 16 floats: AVX-512's 32 registers.
static inline bool st_has_wide_registers(void) {
#if defined(__AVX512F__)
    return true;
#else
    return false;
#endif
}

/// Square roots of 16 floats, correctly rounded: one instruction where the machine has it. Swift's
/// own squareRoot is a call per lane.
typedef float st_lanes __attribute__((ext_vector_type(16)));
static inline st_lanes st_square_root(st_lanes x) { return __builtin_elementwise_sqrt(x); }

#endif
