#ifndef ST_COPENBLAS_SHIM_H
#define ST_COPENBLAS_SHIM_H

#include <cblas.h>
#include <stdbool.h>

/// Whether the build's instruction set multiplies and adds in one step. Swift has no such check;
/// without it a fused operation would become one call of the C library per lane.
static inline bool st_has_fma(void) {
#if defined(__FMA__) || defined(__aarch64__)
    return true;
#else
    return false;
#endif
}

#endif
