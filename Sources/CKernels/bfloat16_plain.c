// See bfloat16_plain.h.
#include "bfloat16_plain.h"

#include <math.h>
#include <string.h>

static inline long up(long count) { return (count + 31) & ~31L; }

/// To nearest, ties to even; numbers below float's normal range are zero, as they are for
/// VCVTNEPS2BF16.
static inline uint16_t rounded(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t size = bits & 0x7fffffff;
    if (size > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);  // a NaN stays one
    if (size < 0x00800000) return (uint16_t)(bits >> 16 & 0x8000);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float widened(uint16_t half) {
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void st_plain_rows(long rows, long columns, const float *from, long from_row, uint16_t *to) {
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) to[i * columns + j] = rounded(from[i * from_row + j]);
    memset(to + rows * columns, 0, (size_t)((up(rows) - rows) * columns) * sizeof *to);
}

void st_plain_panels(long depth, long columns, const float *b, long b_row, uint16_t *to) {
    const long full = up(depth);
    for (long l = 0; l < full; l++)
        for (long j = 0; j < columns; j++)
            to[(j / 32) * 32 * full + (l / 2) * 64 + (j % 32) * 2 + l % 2] =
                l < depth ? rounded(b[l * b_row + j]) : 0;
}

void st_plain_panels_rows(
    long depth, long columns, const uint16_t *b, long b_row, uint16_t *to) {
    const long full = up(depth);
    for (long l = 0; l < full; l++)
        for (long j = 0; j < columns; j++)
            to[(j / 32) * 32 * full + (l / 2) * 64 + (j % 32) * 2 + l % 2] =
                l < depth ? b[l * b_row + j] : 0;
}

void st_plain_panels_transposed(
    long depth, long columns, const float *b, long b_row, uint16_t *to) {
    for (long j = 0; j < columns; j++)
        for (long l = 0; l < depth; l++)
            to[(j / 32) * 32 * depth + (l / 2) * 64 + (j % 32) * 2 + l % 2] =
                rounded(b[j * b_row + l]);
}

void st_plain_transposed(long depth, long columns, const float *a, long a_row, uint16_t *to) {
    const long full = up(depth);
    for (long j = 0; j < columns; j++)
        for (long l = 0; l < full; l++)
            to[j * full + l] = l < depth ? rounded(a[l * a_row + j]) : 0;
}

void st_plain_transposed_rows(
    long depth, long columns, const uint16_t *a, long a_row, uint16_t *to) {
    const long full = up(depth);
    for (long j = 0; j < columns; j++)
        for (long l = 0; l < full; l++) to[j * full + l] = l < depth ? a[l * a_row + j] : 0;
}

void st_plain_product(
    long m, long n, long k, const uint16_t *a, const uint16_t *b, float *c, long c_row,
    bool accumulate) {
    for (long j = 0; j < n; j += 32)
        for (long i = 0; i < m; i++) {
            float sums[32] = {0};
            float *target = c + i * c_row + j;
            if (accumulate) memcpy(sums, target, sizeof sums);
            const uint16_t *panel = b + j * k;
            for (long l = 0; l < k; l += 2, panel += 64) {
                const float first = widened(a[i * k + l]);
                const float second = widened(a[i * k + l + 1]);
                // VDPBF16PS adds the second product of a pair first.
                for (int r = 0; r < 32; r++)
                    sums[r] = fmaf(
                        first, widened(panel[2 * r]),
                        fmaf(second, widened(panel[2 * r + 1]), sums[r]));
            }
            memcpy(target, sums, sizeof sums);
        }
}
