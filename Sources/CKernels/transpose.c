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

/// A mask for the first `count` of eight values.
WITH_AVX static inline __m256i first_of_eight(int count) {
    static const int32_t ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(ones + 8 - (count < 8 ? count : 8)));
}

WITH_AVX static void transpose_in_small_squares(
    long rows, long columns, float scale, const float *from, long from_row, float *to, long to_row) {
    const __m256 factor = _mm256_set1_ps(scale);
    for (long i = 0; i < rows; i += 8) {
        const int height = rows - i < 8 ? (int)(rows - i) : 8;
        const __m256i tall = first_of_eight(height);
        for (long j = 0; j < columns; j += 8) {
            const int width = columns - j < 8 ? (int)(columns - j) : 8;
            const __m256i wide = first_of_eight(width);
            const float *source = from + i * from_row + j;
            __m256 square[8];
#pragma clang loop unroll(full)
            for (int r = 0; r < 8; r++)
                square[r] =
                    r < height
                        ? _mm256_mul_ps(factor, _mm256_maskload_ps(source + r * from_row, wide))
                        : _mm256_setzero_ps();
            st_transpose8(square);
            float *target = to + j * to_row + i;
#pragma clang loop unroll(full)
            for (int c = 0; c < 8; c++)
                if (c < width) _mm256_maskstore_ps(target + c * to_row, tall, square[c]);
        }
    }
}

void st_transpose(
    long rows, long columns, float scale, const float *from, long from_row, float *to, long to_row) {
    (__builtin_cpu_supports("avx512f") ? transpose_in_squares
     : __builtin_cpu_supports("avx")   ? transpose_in_small_squares
                                       : transpose_one_by_one)(
        rows, columns, scale, from, from_row, to, to_row);
}

#else

void st_transpose(
    long rows, long columns, float scale, const float *from, long from_row, float *to, long to_row) {
    transpose_one_by_one(rows, columns, scale, from, from_row, to, to_row);
}

#endif
