// See include/CKernels.h.
#include "include/CKernels.h"

static void transpose_one_by_one(
    long rows, long columns, float scale, const float *from, long from_row, float *to, long to_row) {
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) to[j * to_row + i] = scale * from[i * from_row + j];
}

#if defined(__x86_64__)

#include "transpose.h"

WITH_AVX512 static void transpose_in_squares(
    long rows, long columns, float scale, const float *from, long from_row, float *to, long to_row) {
    const __m512 factor = _mm512_set1_ps(scale);
    for (long i = 0; i < rows; i += 16) {
        const int height = rows - i < 16 ? (int)(rows - i) : 16;
        const __mmask16 tall = (__mmask16)((1u << height) - 1);
        for (long j = 0; j < columns; j += 16) {
            const int width = columns - j < 16 ? (int)(columns - j) : 16;
            const __mmask16 wide = (__mmask16)((1u << width) - 1);
            const float *source = from + i * from_row + j;
            __m512i square[16];
#pragma clang loop unroll(full)
            for (int r = 0; r < 16; r++)
                square[r] = _mm512_castps_si512(
                    r < height
                        ? _mm512_mul_ps(factor, _mm512_maskz_loadu_ps(wide, source + r * from_row))
                        : _mm512_setzero_ps());
            st_transpose16(square);
            float *target = to + j * to_row + i;
#pragma clang loop unroll(full)
            for (int c = 0; c < 16; c++)
                if (c < width)
                    _mm512_mask_storeu_epi32(target + c * to_row, tall, square[c]);
        }
    }
}

void st_transpose(
    long rows, long columns, float scale, const float *from, long from_row, float *to, long to_row) {
    (__builtin_cpu_supports("avx512f") ? transpose_in_squares : transpose_one_by_one)(
        rows, columns, scale, from, from_row, to, to_row);
}

#else

void st_transpose(
    long rows, long columns, float scale, const float *from, long from_row, float *to, long to_row) {
    transpose_one_by_one(rows, columns, scale, from, from_row, to, to_row);
}

#endif
