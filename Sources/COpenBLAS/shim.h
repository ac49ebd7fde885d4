#ifndef ST_COPENBLAS_SHIM_H
#define ST_COPENBLAS_SHIM_H

#include <cblas.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/// Ends the threads that OpenBLAS has started by itself when it was loaded, which wait for work by
/// asking for it over and over, for a tenth of a second. Without effect where there are none. The
/// function is what OpenBLAS itself calls before a process forks.
int blas_thread_shutdown_(void) __attribute__((weak));
static inline void st_stop_blas_threads(void) {
    if (blas_thread_shutdown_) blas_thread_shutdown_();
}

/// What OpenBLAS does by itself when it is loaded, and at its end.
void gotoblas_dynamic_init(void) __attribute__((weak));
void gotoblas_dynamic_quit(void) __attribute__((weak));
char *openblas_get_corename(void) __attribute__((weak));

/// Has OpenBLAS choose by the processor's instructions where it does not know the processor's number.
///
/// It takes one that is younger than itself for a Prescott of 2004, and multiplies ten times slower
/// than it could: 0.3.21 does so on Intel's Emerald Rapids. OPENBLAS_CORETYPE is respected. No thread may
/// be in a BLAS function.
static inline void st_choose_blas_core(void) {
#if defined(__x86_64__)
    static const char name[] = "OPENBLAS_CORETYPE";
    if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit || !openblas_get_corename) return;
    if (getenv(name) || strcmp(openblas_get_corename(), "Prescott") != 0) return;
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return;
    setenv(name, wide ? "SkylakeX" : "Haswell", 1);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv(name);
#endif
}

/// The kind of processor that OpenBLAS multiplies for; "" if it does not say.
static inline const char *st_blas_core(void) {
    return openblas_get_corename ? openblas_get_corename() : "";
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
