// Products of float32 matrices with AVX-512. See include/CKernels.h.
//
// The right operand goes, 384 rows at a time, into a panel of 32 columns that all rows of the left
// one pass by; 14 x 32 sums are in registers meanwhile. The left operand is read where it is, unless
// its rows would share the sets of a cache, or it is a transposed one, of which each step of a strip
// would be in another page. That is what a BLAS library does less one copy, and its other copy is
// made by shuffles. An element is summed in one order, whatever the number of rows.
#include "include/CKernels.h"

#include "processor.h"

#if defined(__x86_64__) && defined(__linux__)

#include <immintrin.h>

#include "strips.h"
#include "transpose.h"

#define WITH_WIDE __attribute__((target("avx512f,avx512bw,avx512vl,prfchw")))

enum { panel_depth = 384, panel_width = 32 };

/// Rows of a left operand that are copied at once: with a panel they stay in the second cache, and
/// on a thread's stack.
enum { block_rows = 28 * st_strip_rows };

/// Between rows of a copy: no power of two.
enum { copy_row = panel_depth + 16 };

static inline long smaller(long a, long b) { return a < b ? a : b; }

/// What of the right operand the next panel is made of, fetched while strips go by the present one:
/// two lines of the cache for every 16 steps of a strip.
struct ahead {
    /// An address as a number: past the operand's end nothing is read, and no pointer may be.
    uintptr_t place;
    /// Bytes from a line to the one fetched with it, to the pair after, and from strip to strip.
    long second, step, strip;
};

/// No panel comes next: lines that are near anyway.
static inline struct ahead no_panel(const float *panel) {
    return (struct ahead){(uintptr_t)panel, 0, 0, 0};
}

/// The panel after the one of b's columns from `place`.
static inline struct ahead next_columns(const float *place, long b_row) {
    const long row = b_row * (long)sizeof(float);
    return (struct ahead){(uintptr_t)(place + panel_width), 64, row, panel_depth / 16 * row};
}

/// The same where columns are rows of bᵀ.
static inline struct ahead next_rows(const float *place, long b_row) {
    const long row = b_row * (long)sizeof(float);
    return (struct ahead){(uintptr_t)place + panel_width * row, row, 64, 2 * row};
}

bool st_f32_has_products(void) { return st_has_avx512(); }

/// c [count, 32] = a · panel [depth, 32], or += with `accumulate`; a's value (r, l) is
/// a[r * row + l * step]. `count`, and one of `row` and `step`, are known where this is inlined.
WITH_WIDE static inline __attribute__((always_inline)) void strip(
    const int count, long depth, const float *a, long row, long step, const float *panel, float *c,
    long c_row, bool accumulate, struct ahead ahead) {
    __m512 sums[st_strip_rows][2];
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++)
        for (int half = 0; half < 2; half++) sums[r][half] = _mm512_setzero_ps();
    long rows[st_strip_rows];
    st_places_of_rows(row * (long)sizeof(float), rows);
    const char *values = (const char *)a;
    const float *const end = panel + depth * panel_width;
    const float *both = panel;
    // Rows of c are needed at the end, which would wait for memory otherwise. They are fetched one by
    // one: a request that finds no place among those that wait for memory holds up the products.
    const long sums_row = c_row * (long)sizeof *c;
    uintptr_t awaited = (uintptr_t)c;
    const uintptr_t awaited_end = awaited + (uintptr_t)(count * sums_row);
    while (both != end) {
        if (awaited != awaited_end) {
            __builtin_prefetch((const void *)awaited, 1);
            __builtin_prefetch((const void *)(awaited + 64), 1);
            awaited += (uintptr_t)sums_row;
        }
        __builtin_prefetch((const void *)ahead.place);
        __builtin_prefetch((const void *)(ahead.place + ahead.second));
        ahead.place += ahead.step;
        const long steps = smaller((end - both) / panel_width, 16);
        const float *const stop = both + steps * panel_width;
#pragma clang loop unroll_count(2)
        for (; both != stop; both += panel_width) {
            const __m512 left = _mm512_load_ps(both);
            const __m512 right = _mm512_load_ps(both + 16);
#pragma clang loop unroll(full)
            for (int r = 0; r < count; r++) {
                const __m512 value = _mm512_set1_ps(*(const float *)(values + rows[r]));
                sums[r][0] = _mm512_fmadd_ps(value, left, sums[r][0]);
                sums[r][1] = _mm512_fmadd_ps(value, right, sums[r][1]);
            }
            values += step * (long)sizeof(float);
            // Loads stay behind this: of two steps at once, sums would not fit the registers.
            __asm__ volatile("" ::: "memory");
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++)
        for (int half = 0; half < 2; half++) {
            float *place = c + r * c_row + half * 16;
            if (accumulate) sums[r][half] += _mm512_loadu_ps(place);
            _mm512_storeu_ps(place, sums[r][half]);
        }
}

/// All rows of c by one panel; the strip that begins with row i is at a + i * distance.
WITH_WIDE static inline __attribute__((always_inline)) void rows_by_panel(
    long m, long depth, const float *a, long distance, long row, long step, const float *panel,
    float *c, long c_row, bool accumulate, struct ahead ahead) {
    long i = 0;
#define STRIP(count)                                                                        \
    strip(count, depth, a + i * distance, row, step, panel, c + i * c_row, c_row, accumulate, \
          ahead)
    for (; i + st_strip_rows <= m; i += st_strip_rows) {
        STRIP(st_strip_rows);
        // 16 strips have fetched all of a panel.
        ahead.place += ahead.strip;
        if (i == 15 * st_strip_rows) ahead = no_panel(panel);
    }
    ST_LAST_STRIP(m - i, STRIP)
#undef STRIP
}

/// Columns of b [depth, 32].
WITH_WIDE static void fill_panel(long depth, const float *b, long b_row, float *panel) {
    for (long l = 0; l < depth; l++)
        for (int half = 0; half < 2; half++)
            _mm512_store_ps(
                panel + l * panel_width + half * 16, _mm512_loadu_ps(b + l * b_row + half * 16));
}

/// The same from bᵀ [32, depth]; depth is a multiple of 16.
WITH_WIDE static void fill_panel_transposed(long depth, const float *b, long b_row, float *panel) {
    for (int half = 0; half < 2; half++)
        for (long l = 0; l < depth; l += 16) {
            __m512i square[16];
#pragma clang loop unroll(full)
            for (int r = 0; r < 16; r++)
                square[r] = _mm512_loadu_si512(b + (half * 16 + r) * b_row + l);
            st_transpose16(square);
#pragma clang loop unroll(full)
            for (int r = 0; r < 16; r++)
                _mm512_store_si512(panel + (l + r) * panel_width + half * 16, square[r]);
        }
}

/// `m` rows in as few blocks as they need, all of about the same size: what one of them has.
static inline long rows_of_a_block(long m) {
    const long blocks = (m + block_rows - 1) / block_rows;
    const long strips = (m + st_strip_rows - 1) / st_strip_rows;
    return blocks == 0 ? 0 : (strips + blocks - 1) / blocks * st_strip_rows;
}

/// Part of `count` rows; depth is a multiple of 16.
WITH_WIDE static void copy_rows(long count, long depth, const float *a, long a_row, float *copy) {
    for (long i = 0; i < count; i++)
        for (long l = 0; l < depth; l += 16)
            _mm512_store_ps(copy + i * copy_row + l, _mm512_loadu_ps(a + i * a_row + l));
}

WITH_WIDE static inline __attribute__((always_inline)) void times(
    long m, long n, long k, const float *a, const float *b, bool transposed, float *c,
    bool accumulate) {
    float panel[panel_depth * panel_width] __attribute__((aligned(64)));
    float copy[copy_row * block_rows] __attribute__((aligned(64)));
    // Value l of every row is in the same set of the first cache, which has fewer places than a
    // strip has rows.
    const bool copied = k % 1024 == 0;
    const long block = copied ? rows_of_a_block(m) : m;
    for (long l = 0; l < k; l += panel_depth) {
        const long depth = smaller(k - l, panel_depth);
        for (long i = 0; i < m; i += block) {
            const long count = smaller(m - i, block);
            const float *left = a + i * k + l;
            if (copied) copy_rows(count, depth, left, k, copy);
            for (long j = 0; j < n; j += panel_width) {
                const float *place = transposed ? b + j * k + l : b + l * n + j;
                struct ahead ahead;
                if (transposed) {
                    fill_panel_transposed(depth, place, k, panel);
                    ahead = next_rows(place, k);
                } else {
                    fill_panel(depth, place, n, panel);
                    ahead = next_columns(place, n);
                }
                if (j + panel_width == n) ahead = no_panel(panel);
                const long row = copied ? copy_row : k;
                rows_by_panel(
                    count, depth, copied ? copy : left, row, row, 1, panel, c + i * n + j, n,
                    accumulate || l > 0, ahead);
            }
        }
    }
}

WITH_WIDE void st_f32_times_transposed(
    long m, long n, long k, const float *a, const float *b, float *c, bool accumulate) {
    times(m, n, k, a, b, true, c, accumulate);
}

WITH_WIDE void st_f32_times(
    long m, long n, long k, const float *a, const float *b, float *c, bool accumulate) {
    times(m, n, k, a, b, false, c, accumulate);
}

/// Columns of a [depth, count], cut into strips [depth, 14] one after the other.
WITH_WIDE static void fill_strips(
    long depth, long count, const float *a, long a_row, float *strips) {
    // 16 rows ahead: the next one is elsewhere in memory each time.
    const uintptr_t fetched = (uintptr_t)(16 * a_row) * sizeof *a;
    for (long l = 0; l < depth; l++)
        for (long i = 0; i < count; i += st_strip_rows) {
            const __mmask16 part = (1u << smaller(count - i, st_strip_rows)) - 1;
            // Past the operand's end nothing is read, and the address is a number.
            __builtin_prefetch((const void *)((uintptr_t)(a + l * a_row + i) + fetched));
            _mm512_mask_storeu_ps(
                strips + i * depth + l * st_strip_rows, part,
                _mm512_maskz_loadu_ps(part, a + l * a_row + i));
        }
}

WITH_WIDE void st_f32_transposed_times(
    long m, long n, long k, const float *a, long a_row, const float *b, float *c) {
    float panel[panel_depth * panel_width] __attribute__((aligned(64)));
    float strips[panel_depth * block_rows] __attribute__((aligned(64)));
    const long block = rows_of_a_block(m);
    for (long l = 0; l < k; l += panel_depth) {
        const long depth = smaller(k - l, panel_depth);
        for (long i = 0; i < m; i += block) {
            const long count = smaller(m - i, block);
            fill_strips(depth, count, a + l * a_row + i, a_row, strips);
            for (long j = 0; j < n; j += panel_width) {
                const float *place = b + l * n + j;
                fill_panel(depth, place, n, panel);
                const bool last = j + panel_width == n;
                rows_by_panel(
                    count, depth, strips, depth, 1, st_strip_rows, panel, c + i * n + j, n, true,
                    last ? no_panel(panel) : next_columns(place, n));
            }
        }
    }
}

#else

bool st_f32_has_products(void) { return false; }

// Not called, as there are no products.
void st_f32_times_transposed(
    long m, long n, long k, const float *a, const float *b, float *c, bool accumulate) {}
void st_f32_times(
    long m, long n, long k, const float *a, const float *b, float *c, bool accumulate) {}
void st_f32_transposed_times(
    long m, long n, long k, const float *a, long a_row, const float *b, float *c) {}

#endif
