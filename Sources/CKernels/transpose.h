#ifndef ST_TRANSPOSE_H
#define ST_TRANSPOSE_H

// Squares of 16 x 16 and of 8 x 8 values of 32 bits turned over in registers. For the C files beside
// this one.

#include <immintrin.h>

#define WITH_AVX512 __attribute__((target("avx512f")))
#define WITH_AVX __attribute__((target("avx")))

/// r[j] becomes value j of every r[i], in the order of i.
WITH_AVX512 static inline __attribute__((always_inline)) void st_transpose16(__m512i r[16]) {
    __m512i t[16];
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    // r[4 * q + c]: in each quarter k, value 4 * k + c of rows 4 * q to 4 * q + 3.
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i += 4)
        for (int h = 0; h < 2; h++) {
            r[i + 2 * h] = _mm512_unpacklo_epi64(t[i + h], t[i + 2 + h]);
            r[i + 2 * h + 1] = _mm512_unpackhi_epi64(t[i + h], t[i + 2 + h]);
        }
    // t[4 * k + c]: value 4 * k + c of all rows.
#pragma clang loop unroll(full)
    for (int c = 0; c < 4; c++) {
        const __m512i low = _mm512_shuffle_i32x4(r[c], r[4 + c], 0x88);
        const __m512i high = _mm512_shuffle_i32x4(r[c], r[4 + c], 0xdd);
        const __m512i low2 = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0x88);
        const __m512i high2 = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0xdd);
        t[c] = _mm512_shuffle_i32x4(low, low2, 0x88);
        t[4 + c] = _mm512_shuffle_i32x4(high, high2, 0x88);
        t[8 + c] = _mm512_shuffle_i32x4(low, low2, 0xdd);
        t[12 + c] = _mm512_shuffle_i32x4(high, high2, 0xdd);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) r[i] = t[i];
}

/// The same for eight rows of eight.
WITH_AVX static inline __attribute__((always_inline)) void st_transpose8(__m256 r[8]) {
    __m256 t[8];
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    // r[4 * q + c]: in each half k, value 4 * k + c of rows 4 * q to 4 * q + 3.
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i += 4)
        for (int h = 0; h < 2; h++) {
            r[i + 2 * h] = _mm256_shuffle_ps(t[i + h], t[i + 2 + h], 0x44);
            r[i + 2 * h + 1] = _mm256_shuffle_ps(t[i + h], t[i + 2 + h], 0xee);
        }
#pragma clang loop unroll(full)
    for (int c = 0; c < 4; c++) {
        t[c] = _mm256_permute2f128_ps(r[c], r[4 + c], 0x20);
        t[4 + c] = _mm256_permute2f128_ps(r[c], r[4 + c], 0x31);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) r[i] = t[i];
}

#endif
