// See include/CKernels.h.
#include "include/CKernels.h"

#include "bfloat16_plain.h"
#include "processor.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "strips.h"
#include "transpose.h"

// These functions are compiled for instructions that the rest of the program does without.
#define WITH_VECTORS __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define WITH_TILES \
    __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512bf16")))

static st_bf16_unit find_unit(void) {
    unsigned a, b, c, d, extended;
    if (!st_has_avx512() || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return st_bf16_none;
    const unsigned tiles = (1u << 24) | (1u << 22);  // AMX-TILE, AMX-BF16
    if (!__get_cpuid_count(7, 1, &extended, &b, &c, &a)) return st_bf16_none;
    if (!(extended & (1u << 5))) return st_bf16_none;  // AVX512_BF16
    // Linux hands out the tile registers on request: ARCH_REQ_XCOMP_PERM for XTILEDATA.
    if ((d & tiles) == tiles && syscall(SYS_arch_prctl, 0x1023, 18) == 0) return st_bf16_tiles;
    return st_bf16_vectors;
}

st_bf16_unit st_bf16_best_unit(void) {
    static int known = -1;  // Any thread finds the same.
    int unit = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (unit < 0) {
        unit = find_unit();
        __atomic_store_n(&known, unit, __ATOMIC_RELAXED);
    }
    return unit;
}

bool st_bf16_has_fast_vectors(void) {
    return st_bf16_best_unit() != st_bf16_none && !st_is_intel();
}

static inline long up(long count) { return (count + 31) & ~31L; }

WITH_VECTORS static inline __m512i convert(const float *from) {
    return (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + 16), _mm512_loadu_ps(from));
}

/// 16 values of two rows, the upper one's in the low halves.
WITH_VECTORS static inline __m512i pair(const float *upper, const float *lower) {
    __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(upper)));
    if (!lower) return low;
    __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(lower)));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

WITH_VECTORS static void vector_rows(
    long rows, long columns, const float *from, long from_row, uint16_t *to) {
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j += 32)
            _mm512_storeu_si512(to + i * columns + j, convert(from + i * from_row + j));
    memset(to + rows * columns, 0, (size_t)((up(rows) - rows) * columns) * sizeof *to);
}

/// The same of bfloat16 values.
WITH_VECTORS static __m512i pair_of_halves(const uint16_t *upper, const uint16_t *lower) {
    __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)upper));
    if (!lower) return low;
    __m512i high = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)lower));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

/// 16 values from `place` on and those `row` further, if there are such: `half` says that they are
/// bfloat16's.
WITH_VECTORS static inline __attribute__((always_inline)) __m512i rows_of_pair(
    const void *values, long place, long row, bool both, bool half) {
    if (half) {
        const uint16_t *upper = (const uint16_t *)values + place;
        return pair_of_halves(upper, both ? upper + row : 0);
    }
    const float *upper = (const float *)values + place;
    return pair(upper, both ? upper + row : 0);
}

WITH_VECTORS static inline __attribute__((always_inline)) void panels(
    long depth, long columns, const void *b, long b_row, bool half, uint16_t *to) {
    const long full = up(depth);
    for (long l = 0; l < full; l += 2)
        for (long j = 0; j < columns; j += 16) {
            __m512i value = _mm512_setzero_si512();
            if (l < depth) value = rows_of_pair(b, l * b_row + j, b_row, l + 1 < depth, half);
            _mm512_storeu_si512(to + (j / 32) * 32 * full + l * 32 + (j % 32) * 2, value);
        }
}

WITH_VECTORS static void vector_panels(
    long depth, long columns, const float *b, long b_row, uint16_t *to) {
    panels(depth, columns, b, b_row, false, to);
}

WITH_VECTORS static void vector_panels_rows(
    long depth, long columns, const uint16_t *b, long b_row, uint16_t *to) {
    panels(depth, columns, b, b_row, true, to);
}

static const int lanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

WITH_VECTORS static void vector_panels_transposed(
    long depth, long columns, const float *b, long b_row, uint16_t *to) {
    // A pair of neighbours along the depth is 32 bits: these move as they are.
    const __m512i places = _mm512_slli_epi32(_mm512_loadu_si512(lanes), 5);
    for (long j = 0; j < columns; j++) {
        uint16_t *target = to + (j / 32) * 32 * depth + (j % 32) * 2;
        for (long l = 0; l < depth; l += 32)
            _mm512_i32scatter_epi32(target + l * 32, places, convert(b + j * b_row + l), 4);
    }
}

/// Squares of 32 rows, two side by side, and 16 columns; `half` says that a has bfloat16 values.
WITH_VECTORS static inline __attribute__((always_inline)) void transpose(
    long depth, long columns, const void *a, long a_row, bool half, uint16_t *to) {
    const long full = up(depth);
    for (long l = 0; l < full; l += 32)
        for (long j = 0; j < columns; j += 16) {
            __m512i square[16];
#pragma clang loop unroll(full)
            for (int r = 0; r < 16; r++) {
                const long row = l + 2 * r;
                square[r] = _mm512_setzero_si512();
                if (row < depth)
                    square[r] =
                        rows_of_pair(a, row * a_row + j, a_row, row + 1 < depth, half);
            }
            st_transpose16(square);
#pragma clang loop unroll(full)
            for (int c = 0; c < 16; c++)
                _mm512_storeu_si512(to + (j + c) * full + l, square[c]);
        }
}

WITH_VECTORS static void vector_transposed(
    long depth, long columns, const float *a, long a_row, uint16_t *to) {
    transpose(depth, columns, a, a_row, false, to);
}

WITH_VECTORS static void vector_transposed_rows(
    long depth, long columns, const uint16_t *a, long a_row, uint16_t *to) {
    transpose(depth, columns, a, a_row, true, to);
}

struct tile_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/// c [32, 32] = a · one panel of b, in four tiles of sums.
WITH_TILES static inline void block(
    long k, const uint16_t *a, const uint16_t *b, float *c, long c_row, bool accumulate) {
    const long stride = c_row * (long)sizeof *c;
    float *lower = c + 16 * c_row;
    if (accumulate) {
        _tile_loadd(0, c, stride);
        _tile_loadd(1, c + 16, stride);
        _tile_loadd(2, lower, stride);
        _tile_loadd(3, lower + 16, stride);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (long l = 0; l < k; l += 32) {
        _tile_loadd(4, a + l, k * 2);
        _tile_loadd(5, a + 16 * k + l, k * 2);
        _tile_loadd(6, b + l * 32, 128);
        _tile_loadd(7, b + l * 32 + 32, 128);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, stride);
    _tile_stored(1, c + 16, stride);
    _tile_stored(2, lower, stride);
    _tile_stored(3, lower + 16, stride);
}

WITH_TILES static void product_of_tiles(
    long m, long n, long k, const uint16_t *a, const uint16_t *b, float *c, long c_row,
    bool accumulate) {
    struct tile_shapes shapes;
    memset(&shapes, 0, sizeof shapes);
    shapes.palette = 1;
    for (int tile = 0; tile < 8; tile++) {
        shapes.row_bytes[tile] = 64;
        shapes.rows[tile] = 16;
    }
    _tile_loadconfig(&shapes);
    for (long j = 0; j < n; j += 32) {
        const uint16_t *panel = b + j * k;
        for (long i = 0; i < m; i += 32) {
            float *target = c + i * c_row + j;
            if (m - i >= 32) {
                block(k, a + i * k, panel, target, c_row, accumulate);
                continue;
            }
            // The last rows by way of a whole block.
            float whole[32 * 32];
            memset(whole, 0, sizeof whole);
            for (long r = 0; accumulate && r < m - i; r++)
                memcpy(whole + r * 32, target + r * c_row, 32 * sizeof *c);
            block(k, a + i * k, panel, whole, 32, accumulate);
            for (long r = 0; r < m - i; r++)
                memcpy(target + r * c_row, whole + r * 32, 32 * sizeof *c);
        }
    }
    _tile_release();
}

/// What is fetched while a strip goes by: little by little, because a request that finds no place
/// among those that wait for memory holds up the products. Addresses are numbers: past an operand's
/// end nothing is read, and no pointer may be.
struct ahead {
    /// The next panel, for the second cache: two lines for every 16 steps, so that 16 strips have
    /// fetched all of it.
    uintptr_t panel;
    long panel_step;
    /// Rows of c: those that the strip writes at its end, or those that the next one begins with.
    uintptr_t sums;
};

/// c [count, 32] = a · one panel of b, the sums in 2 · count vectors; returns where the next panel is
/// fetched next. `count` is known where this is inlined, so that every sum has a register of its own.
WITH_VECTORS static inline __attribute__((always_inline)) uintptr_t strip(
    const int count, long k, const uint16_t *a, const uint16_t *b, float *c, long c_row,
    bool accumulate, struct ahead ahead) {
    __m512 sums[st_strip_rows][2];
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++)
        for (int half = 0; half < 2; half++)
            sums[r][half] =
                accumulate ? _mm512_loadu_ps(c + r * c_row + half * 16) : _mm512_setzero_ps();
    long rows[st_strip_rows];
    st_places_of_rows(k * (long)sizeof *a, rows);
    const char *values = (const char *)a;
    const uint16_t *const end = b + k * 32;
    const long sums_row = c_row * (long)sizeof *c;
    const uintptr_t sums_end = ahead.sums + (uintptr_t)(st_strip_rows * sums_row);
    while (b != end) {
        __builtin_prefetch((const void *)ahead.panel, 0, 2);
        __builtin_prefetch((const void *)(ahead.panel + 64), 0, 2);
        ahead.panel += (uintptr_t)ahead.panel_step;
        if (ahead.sums < sums_end) {
            __builtin_prefetch((const void *)ahead.sums, 1);
            __builtin_prefetch((const void *)(ahead.sums + 64), 1);
            ahead.sums += (uintptr_t)sums_row;
        }
        const uint16_t *const stop = b + 16 * 64;
#pragma clang loop unroll(disable)
        for (; b != stop; b += 64) {
            const __m512bh left = (__m512bh)_mm512_loadu_si512(b);
            const __m512bh right = (__m512bh)_mm512_loadu_si512(b + 32);
#pragma clang loop unroll(full)
            for (int r = 0; r < count; r++) {
                int two;
                memcpy(&two, values + rows[r], sizeof two);
                const __m512bh both = (__m512bh)_mm512_set1_epi32(two);
                sums[r][0] = _mm512_dpbf16_ps(sums[r][0], both, left);
                sums[r][1] = _mm512_dpbf16_ps(sums[r][1], both, right);
            }
            values += 2 * sizeof *a;
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++)
        for (int half = 0; half < 2; half++)
            _mm512_storeu_ps(c + r * c_row + half * 16, sums[r][half]);
    return ahead.panel;
}

WITH_VECTORS static void product_of_vectors(
    long m, long n, long k, const uint16_t *a, const uint16_t *b, float *c, long c_row,
    bool accumulate) {
    for (long j = 0; j < n; j += 32) {
        const uint16_t *panel = b + j * k;
        struct ahead ahead = {(uintptr_t)(panel + 32 * k), 128, 0};
        // Lines that are near anyway, where no panel comes next.
        if (j + 32 == n) ahead = (struct ahead){(uintptr_t)panel, 0, 0};
        long i = 0;
#define STRIP(count, next)                                                                  \
    ahead.sums = (uintptr_t)(c + (accumulate ? (next) : i * c_row + j)),                    \
    ahead.panel = strip(count, k, a + i * k, panel, c + i * c_row + j, c_row, accumulate, ahead)
#define LAST_STRIP(count) STRIP(count, j + 32)
        for (; i + st_strip_rows <= m; i += st_strip_rows) {
            STRIP(st_strip_rows, i + st_strip_rows < m ? (i + st_strip_rows) * c_row + j : j + 32);
            if (i == 15 * st_strip_rows) ahead = (struct ahead){(uintptr_t)panel, 0, 0};
        }
        ST_LAST_STRIP(m - i, LAST_STRIP)
#undef LAST_STRIP
#undef STRIP
    }
}

#else

st_bf16_unit st_bf16_best_unit(void) { return st_bf16_none; }
bool st_bf16_has_fast_vectors(void) { return false; }

// Not called: there is no unit but the plain one.
#define vector_rows st_plain_rows
#define vector_panels st_plain_panels
#define vector_panels_rows st_plain_panels_rows
#define vector_panels_transposed st_plain_panels_transposed
#define vector_transposed st_plain_transposed
#define vector_transposed_rows st_plain_transposed_rows
#define product_of_vectors st_plain_product
#define product_of_tiles st_plain_product

#endif

static bool has_vectors(void) { return st_bf16_best_unit() != st_bf16_none; }

void st_bf16_rows(long rows, long columns, const float *from, long from_row, uint16_t *to) {
    (has_vectors() ? vector_rows : st_plain_rows)(rows, columns, from, from_row, to);
}

void st_bf16_panels(long depth, long columns, const float *b, long b_row, uint16_t *to) {
    (has_vectors() ? vector_panels : st_plain_panels)(depth, columns, b, b_row, to);
}

void st_bf16_panels_rows(
    long depth, long columns, const uint16_t *b, long b_row, uint16_t *to) {
    (has_vectors() ? vector_panels_rows : st_plain_panels_rows)(depth, columns, b, b_row, to);
}

void st_bf16_panels_transposed(
    long depth, long columns, const float *b, long b_row, uint16_t *to) {
    (has_vectors() ? vector_panels_transposed : st_plain_panels_transposed)(
        depth, columns, b, b_row, to);
}

void st_bf16_transposed(long depth, long columns, const float *a, long a_row, uint16_t *to) {
    (has_vectors() ? vector_transposed : st_plain_transposed)(depth, columns, a, a_row, to);
}

void st_bf16_transposed_rows(
    long depth, long columns, const uint16_t *a, long a_row, uint16_t *to) {
    (has_vectors() ? vector_transposed_rows : st_plain_transposed_rows)(
        depth, columns, a, a_row, to);
}

void st_bf16_product(
    st_bf16_unit unit, long m, long n, long k, const uint16_t *a, const uint16_t *b, float *c,
    long c_row, bool accumulate) {
    (unit == st_bf16_tiles      ? product_of_tiles
     : unit == st_bf16_vectors ? product_of_vectors
                               : st_plain_product)(m, n, k, a, b, c, c_row, accumulate);
}
