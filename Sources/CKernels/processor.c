// See processor.h.
#include "processor.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>

static bool find_avx512(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    const unsigned vectors = (1u << 16) | (1u << 30) | (1u << 31);  // AVX512F, BW, VL
    if ((b & vectors) != vectors) return false;
    // The system has to save the wide registers: XCR0's bits for SSE, AVX and AVX-512.
    if (!__get_cpuid_count(1, 0, &a, &b, &c, &d) || !(c & (1u << 27))) return false;
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 0xe6) == 0xe6;
}

bool st_has_avx512(void) {
    static int known = -1;  // Any thread finds the same.
    int found = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (found < 0) {
        found = find_avx512();
        __atomic_store_n(&known, found, __ATOMIC_RELAXED);
    }
    return found;
}

static bool find_intel(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(0, &a, &b, &c, &d)) return false;
    return b == signature_INTEL_ebx && d == signature_INTEL_edx && c == signature_INTEL_ecx;
}

bool st_is_intel(void) {
    static int known = -1;
    int found = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (found < 0) {
        found = find_intel();
        __atomic_store_n(&known, found, __ATOMIC_RELAXED);
    }
    return found;
}

#else

bool st_has_avx512(void) { return false; }
bool st_is_intel(void) { return false; }

#endif
