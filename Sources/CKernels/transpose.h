#ifndef ST_TRANSPOSE_H
#define ST_TRANSPOSE_H

// Squares of 16 x 16 values of 32 bits turned over in registers. For the C files beside this one.

#include <immintrin.h>

#define WITH_AVX512 __attribute__((target("avx512f")))

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

#endif
