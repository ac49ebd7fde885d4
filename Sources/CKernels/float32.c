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
#include <string.h>

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

/// The first `count` of 16 lanes; all of them if there are more, none below 0.
static inline __mmask16 lanes_of(long count) {
    return count >= 16 ? 0xffff : count > 0 ? (__mmask16)((1u << count) - 1) : 0;
}

/// What of the right operand is multiplied: x, or x rounded to bfloat16, to nearest, ties to even.
WITH_WIDE static inline __attribute__((always_inline)) __m512 operand(__m512 x, bool rounded) {
    if (!rounded) return x;
    const __m512i bits = (__m512i)x;
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i moved =
        _mm512_add_epi32(_mm512_add_epi32(bits, odd), _mm512_set1_epi32(0x7fff));
    // What is not a number stays as it is.
    const __mmask16 numbers = _mm512_cmp_ps_mask(x, x, _CMP_ORD_Q);
    return (__m512)_mm512_mask_and_epi32(
        bits, numbers, moved, _mm512_set1_epi32((int)0xffff0000));
}

/// Values of the left operand in float32: `half` says that they are bfloat16's.
WITH_WIDE static inline __attribute__((always_inline)) __m512 left_values(
    const void *a, long place, __mmask16 lanes, bool half) {
    if (!half) return _mm512_maskz_loadu_ps(lanes, (const float *)a + place);
    const __m256i values = _mm256_maskz_loadu_epi16(lanes, (const uint16_t *)a + place);
    return (__m512)_mm512_slli_epi32(_mm512_cvtepu16_epi32(values), 16);
}

/// c [count, 32] = a · panel [depth, 32], or += with `accumulate`; a's value (r, l) is
/// a[r * row + l * step].
struct strip {
    long depth;
    const float *a;
    long row;
    const float *panel;
    float *c;
    long c_row;
    bool accumulate;
    struct ahead ahead;
};

/// `count` and `step` are known where this is inlined.
WITH_WIDE static inline __attribute__((always_inline)) void multiply(
    const int count, const long step, const struct strip *strip) {
    __m512 sums[st_strip_rows][2];
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++)
        for (int half = 0; half < 2; half++) sums[r][half] = _mm512_setzero_ps();
    long rows[st_strip_rows];
    st_places_of_rows(strip->row * (long)sizeof(float), rows);
    const char *values = (const char *)strip->a;
    const float *both = strip->panel;
    const float *const end = both + strip->depth * panel_width;
    struct ahead ahead = strip->ahead;
    // Rows of c are needed at the end, which would wait for memory otherwise. They are fetched one by
    // one: a request that finds no place among those that wait for memory holds up the products.
    const long sums_row = strip->c_row * (long)sizeof *strip->c;
    uintptr_t awaited = (uintptr_t)strip->c;
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
    float *c = strip->c;
    const long c_row = strip->c_row;
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++)
        for (int half = 0; half < 2; half++) {
            float *place = c + r * c_row + half * 16;
            if (strip->accumulate) sums[r][half] += _mm512_loadu_ps(place);
            _mm512_storeu_ps(place, sums[r][half]);
        }
}

// A function for every number of rows, of a left operand that is read where it is and of one that is
// laid out in strips: their addresses take all registers that there are.
#define STRIP(count)                                                                       \
    WITH_WIDE __attribute__((noinline)) static void of_rows_##count(const struct strip *s) { \
        multiply(count, 1, s);                                                             \
    }                                                                                      \
    WITH_WIDE __attribute__((noinline)) static void laid_out_##count(const struct strip *s) { \
        multiply(count, st_strip_rows, s);                                                 \
    }
ST_EACH_STRIP(STRIP)
#undef STRIP

typedef void (*multiplication)(const struct strip *);
#define STRIP(count) of_rows_##count,
static const multiplication of_rows[] = {0, ST_EACH_STRIP(STRIP)};
#undef STRIP
#define STRIP(count) laid_out_##count,
static const multiplication laid_out[] = {0, ST_EACH_STRIP(STRIP)};
#undef STRIP

/// c [count, width] = edge [count, 32], or += with `accumulate`.
WITH_WIDE static void add_edge(
    long count, long width, const float *edge, float *c, long c_row, bool accumulate) {
    for (long r = 0; r < count; r++)
        for (long column = 0; column < width; column += 16) {
            const __mmask16 part = lanes_of(width - column);
            float *place = c + r * c_row + column;
            __m512 sums = _mm512_load_ps(edge + r * panel_width + column);
            if (accumulate) sums += _mm512_maskz_loadu_ps(part, place);
            _mm512_mask_storeu_ps(place, part, sums);
        }
}

/// m rows of c by one panel, of which `width` columns are there. `strip` is the first one; each of the
/// others begins `distance` further in a.
WITH_WIDE static void rows_by_panel(
    long m, const multiplication *multiply, struct strip strip, long distance, long width) {
    const bool whole = width == panel_width;
    float edge[st_strip_rows * panel_width] __attribute__((aligned(64)));
    float *c = strip.c;
    const long c_row = strip.c_row;
    const bool accumulate = strip.accumulate;
    if (!whole) {
        strip.c = edge;
        strip.c_row = panel_width;
        strip.accumulate = false;
    }
    for (long i = 0; i < m; i += st_strip_rows) {
        const long count = smaller(m - i, st_strip_rows);
        if (whole) strip.c = c;
        multiply[count](&strip);
        if (!whole) add_edge(count, width, edge, c, c_row, accumulate);
        c += count * c_row;
        strip.a += distance;
        // 16 strips have fetched all of a panel.
        strip.ahead.place += strip.ahead.strip;
        if (i == 15 * st_strip_rows) strip.ahead = no_panel(strip.panel);
    }
}

/// Columns of b [depth, 32], of which `width` are there.
WITH_WIDE static inline __attribute__((always_inline)) void fill_panel(
    long depth, long width, const float *b, long b_row, bool rounded, float *panel) {
    const __mmask16 parts[2] = {lanes_of(width), lanes_of(width - 16)};
    for (long l = 0; l < depth; l++)
        for (int half = 0; half < 2; half++)
            _mm512_store_ps(
                panel + l * panel_width + half * 16,
                operand(_mm512_maskz_loadu_ps(parts[half], b + l * b_row + half * 16), rounded));
}

/// The same from bᵀ [32, depth].
WITH_WIDE static inline __attribute__((always_inline)) void fill_panel_transposed(
    long depth, long width, const float *b, long b_row, bool rounded, float *panel) {
    for (int half = 0; half < 2; half++)
        for (long l = 0; l < depth; l += 16) {
            const __mmask16 part = lanes_of(depth - l);
            __m512i square[16];
#pragma clang loop unroll(full)
            for (int r = 0; r < 16; r++) {
                const long column = half * 16 + r;
                // Past the operand's end nothing is read: no lane is asked for.
                const __mmask16 lanes = column < width ? part : 0;
                const float *place = b + smaller(column, width - 1) * b_row + l;
                square[r] = (__m512i)operand(_mm512_maskz_loadu_ps(lanes, place), rounded);
            }
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

/// Part of `count` rows, from the left operand's value `place` on.
WITH_WIDE static inline __attribute__((always_inline)) void copy_rows(
    long count, long depth, const void *a, long place, long a_row, bool half, float *copy) {
    for (long i = 0; i < count; i++)
        for (long l = 0; l < depth; l += 16)
            _mm512_store_ps(
                copy + i * copy_row + l,
                left_values(a, place + i * a_row + l, lanes_of(depth - l), half));
}

/// Products of no terms.
static void clear(long m, long n, float *c) { memset(c, 0, (size_t)(m * n) * sizeof *c); }

/// `rounded`: a has bfloat16 values, and those of b are rounded to such.
WITH_WIDE static inline __attribute__((always_inline)) void times(
    long m, long n, long k, const void *a, const float *b, bool transposed, bool rounded,
    float *c, bool accumulate) {
    float panel[panel_depth * panel_width] __attribute__((aligned(64)));
    float copy[copy_row * block_rows] __attribute__((aligned(64)));
    // Value l of every row is in the same set of the first cache, which has fewer places than a
    // strip has rows.
    const bool copied = rounded || k % 1024 == 0;
    const long block = copied ? rows_of_a_block(m) : m;
    if (k == 0 && !accumulate) clear(m, n, c);
    for (long l = 0; l < k; l += panel_depth) {
        const long depth = smaller(k - l, panel_depth);
        for (long i = 0; i < m; i += block) {
            const long count = smaller(m - i, block);
            if (copied) copy_rows(count, depth, a, i * k + l, k, rounded, copy);
            const float *left = copied ? copy : (const float *)a + i * k + l;
            const long row = copied ? copy_row : k;
            for (long j = 0; j < n; j += panel_width) {
                const float *place = transposed ? b + j * k + l : b + l * n + j;
                const long width = smaller(n - j, panel_width);
                struct ahead ahead;
                if (transposed) {
                    fill_panel_transposed(depth, width, place, k, rounded, panel);
                    ahead = next_rows(place, k);
                } else {
                    fill_panel(depth, width, place, n, rounded, panel);
                    ahead = next_columns(place, n);
                }
                if (j + panel_width >= n) ahead = no_panel(panel);
                const struct strip first = {
                    depth, left, row, panel, c + i * n + j, n, accumulate || l > 0, ahead};
                rows_by_panel(count, of_rows, first, st_strip_rows * row, width);
            }
        }
    }
}

WITH_WIDE void st_f32_times_transposed(
    long m, long n, long k, const float *a, const float *b, float *c, bool accumulate) {
    times(m, n, k, a, b, true, false, c, accumulate);
}

WITH_WIDE void st_rounded_times_transposed(
    long m, long n, long k, const uint16_t *a, const float *b, float *c, bool accumulate) {
    times(m, n, k, a, b, true, true, c, accumulate);
}

WITH_WIDE void st_f32_times(
    long m, long n, long k, const float *a, const float *b, float *c, bool accumulate) {
    times(m, n, k, a, b, false, false, c, accumulate);
}

WITH_WIDE void st_rounded_times(
    long m, long n, long k, const uint16_t *a, const float *b, float *c, bool accumulate) {
    times(m, n, k, a, b, false, true, c, accumulate);
}

/// Columns of a [depth, count], from its value `place` on, cut into strips [depth, 14] one after the
/// other.
WITH_WIDE static inline __attribute__((always_inline)) void fill_strips(
    long depth, long count, const void *a, long place, long a_row, bool half, float *strips) {
    const uintptr_t size = half ? sizeof(uint16_t) : sizeof(float);
    for (long l = 0; l < depth; l++)
        for (long i = 0; i < count; i += st_strip_rows) {
            const __mmask16 part = lanes_of(smaller(count - i, st_strip_rows));
            // 16 rows ahead, as the next one is elsewhere in memory each time. Past the operand's end
            // nothing is read, and the address is a number.
            const long ahead = place + (l + 16) * a_row + i;
            __builtin_prefetch((const void *)((uintptr_t)a + (uintptr_t)ahead * size));
            _mm512_mask_storeu_ps(
                strips + i * depth + l * st_strip_rows, part,
                left_values(a, place + l * a_row + i, part, half));
        }
}

WITH_WIDE static inline __attribute__((always_inline)) void transposed_times(
    long m, long n, long k, const void *a, long a_row, const float *b, bool rounded, float *c,
    bool accumulate) {
    float panel[panel_depth * panel_width] __attribute__((aligned(64)));
    float strips[panel_depth * block_rows] __attribute__((aligned(64)));
    const long block = rows_of_a_block(m);
    if (k == 0 && !accumulate) clear(m, n, c);
    for (long l = 0; l < k; l += panel_depth) {
        const long depth = smaller(k - l, panel_depth);
        for (long i = 0; i < m; i += block) {
            const long count = smaller(m - i, block);
            fill_strips(depth, count, a, l * a_row + i, a_row, rounded, strips);
            for (long j = 0; j < n; j += panel_width) {
                const float *place = b + l * n + j;
                const long width = smaller(n - j, panel_width);
                fill_panel(depth, width, place, n, rounded, panel);
                const bool last = j + panel_width >= n;
                const struct strip first = {
                    depth, strips, 1, panel, c + i * n + j, n, accumulate || l > 0,
                    last ? no_panel(panel) : next_columns(place, n)};
                rows_by_panel(count, laid_out, first, st_strip_rows * depth, width);
            }
        }
    }
}

WITH_WIDE void st_f32_transposed_times(
    long m, long n, long k, const float *a, long a_row, const float *b, float *c,
    bool accumulate) {
    transposed_times(m, n, k, a, a_row, b, false, c, accumulate);
}

WITH_WIDE void st_rounded_transposed_times(
    long m, long n, long k, const uint16_t *a, long a_row, const float *b, float *c,
    bool accumulate) {
    transposed_times(m, n, k, a, a_row, b, true, c, accumulate);
}

#else

bool st_f32_has_products(void) { return false; }

// Not called, as there are no products.
void st_f32_times_transposed(
    long m, long n, long k, const float *a, const float *b, float *c, bool accumulate) {}
void st_rounded_times_transposed(
    long m, long n, long k, const uint16_t *a, const float *b, float *c, bool accumulate) {}
void st_f32_times(
    long m, long n, long k, const float *a, const float *b, float *c, bool accumulate) {}
void st_rounded_times(
    long m, long n, long k, const uint16_t *a, const float *b, float *c, bool accumulate) {}
void st_f32_transposed_times(
    long m, long n, long k, const float *a, long a_row, const float *b, float *c,
    bool accumulate) {}
void st_rounded_transposed_times(
    long m, long n, long k, const uint16_t *a, long a_row, const float *b, float *c,
    bool accumulate) {}

#endif
