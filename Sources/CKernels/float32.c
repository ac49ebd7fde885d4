// Products of float32 matrices with AVX-512. See include/CKernels.h.
//
// The right operand goes, 384 rows at a time, into a panel of 32 columns that all rows of the left
// one pass by; 14 x 32 sums are in registers meanwhile, or 6 x 64 of two panels. The left operand is
// read where it is, unless its rows would share the sets of a cache, or it is a transposed one, of which
// each step of a strip would be in another page. That is what a BLAS library does less one copy, and its
// other copy is made by shuffles. An element is summed in one order, whatever the number of rows.
#include "include/CKernels.h"

#include "processor.h"

#if defined(__x86_64__) && defined(__linux__)

#include <immintrin.h>
#include <string.h>

#include "strips.h"
#include "transpose.h"

#define WITH_WIDE __attribute__((target("avx512f,avx512bw,avx512vl,prfchw")))

enum { panel_depth = 384, panel_width = 32, panel_size = panel_depth * panel_width };

/// Rows of a left operand that are copied at once: with a panel they stay in the second cache, and
/// on a thread's stack.
enum { block_rows = 28 * st_strip_rows };

/// Rows of a strip that goes by two panels, and sums in registers at most: 14 · 2 or 6 · 4.
enum { rows_by_two_panels = 6, most_sums = 28 };

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

bool st_f32_has_products(void) { return st_has_avx512(); }

/// Whether strips go by two panels at once: fewer loads and fewer instructions for as many
/// multiplications, 4 to 7 % faster on Intel's processors. The bits are the same.
static inline bool prefers_two_panels(void) { return st_is_intel(); }

/// The first `count` of 16 lanes; all of them if there are more, none below 0.
static inline __mmask16 lanes_of(long count) {
    return count >= 16 ? 0xffff : count > 0 ? (__mmask16)((1u << count) - 1) : 0;
}

/// x rounded to bfloat16, to nearest, ties to even.
WITH_WIDE static inline __attribute__((always_inline)) __m512 rounded(__m512 x) {
    const __m512i bits = (__m512i)x;
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i moved =
        _mm512_add_epi32(_mm512_add_epi32(bits, odd), _mm512_set1_epi32(0x7fff));
    // What is not a number stays as it is.
    const __mmask16 numbers = _mm512_cmp_ps_mask(x, x, _CMP_ORD_Q);
    return (__m512)_mm512_mask_and_epi32(
        bits, numbers, moved, _mm512_set1_epi32((int)0xffff0000));
}

/// What an operand has in memory, and what of it is multiplied.
enum kind {
    floats,      ///< float32 values, as they are
    to_round,    ///< float32 values, which are rounded to bfloat16
    halves       ///< bfloat16 values
};

/// 16 values from `place` on, in float32.
WITH_WIDE static inline __attribute__((always_inline)) __m512 values_of(
    enum kind kind, const void *operand, long place, __mmask16 lanes) {
    if (kind == halves) {
        const __m256i values =
            _mm256_maskz_loadu_epi16(lanes, (const uint16_t *)operand + place);
        return (__m512)_mm512_slli_epi32(_mm512_cvtepu16_epi32(values), 16);
    }
    const __m512 values = _mm512_maskz_loadu_ps(lanes, (const float *)operand + place);
    return kind == to_round ? rounded(values) : values;
}

static inline long size_of(enum kind kind) {
    return kind == halves ? (long)sizeof(uint16_t) : (long)sizeof(float);
}

/// The address of a value, as a number: it may be past the operand's end.
static inline uintptr_t address_of(enum kind kind, const void *operand, long place) {
    return (uintptr_t)operand + (uintptr_t)(place * size_of(kind));
}

/// A panel of columns from b's value `place` on.
static inline struct ahead these_columns(
    enum kind kind, const void *b, long place, long b_row) {
    const long row = b_row * size_of(kind);
    const long second = kind == halves ? 0 : 64;
    return (struct ahead){address_of(kind, b, place), second, row, panel_depth / 16 * row};
}

/// The same where columns are rows of bᵀ, of float32 values.
static inline struct ahead these_rows(const float *place, long b_row) {
    const long row = b_row * (long)sizeof(float);
    return (struct ahead){(uintptr_t)place, row, 64, 2 * row};
}

/// c [count, 32] = a · panel [depth, 32], or += with `accumulate`; a's value (r, l) is
/// a[r * row + l * step]. A second panel, of the next 32 columns, is `panel_size` behind the first.
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

/// c [count, 16 · vectors] of one panel, or of two that are side by side. `count`, `vectors` and `step`
/// are known where this is inlined.
WITH_WIDE static inline __attribute__((always_inline)) void multiply(
    const int count, const int vectors, const long step, const struct strip *strip) {
    __m512 sums[most_sums];
#pragma clang loop unroll(full)
    for (int sum = 0; sum < count * vectors; sum++) sums[sum] = _mm512_setzero_ps();
    long rows[st_strip_rows];
    st_places_of_rows(strip->row * (long)sizeof(float), rows);
    const char *values = (const char *)strip->a;
    const float *place = strip->panel;
    const float *const end = place + strip->depth * panel_width;
    struct ahead ahead = strip->ahead;
    // Rows of c are needed at the end, which would wait for memory otherwise. They are fetched one by
    // one: a request that finds no place among those that wait for memory holds up the products.
    const long sums_row = strip->c_row * (long)sizeof *strip->c;
    uintptr_t awaited = (uintptr_t)strip->c;
    const uintptr_t awaited_end = awaited + (uintptr_t)(count * sums_row);
    while (place != end) {
        if (awaited != awaited_end) {
#pragma clang loop unroll(full)
            for (int line = 0; line < vectors; line++)
                __builtin_prefetch((const void *)(awaited + 64 * (uintptr_t)line), 1);
            awaited += (uintptr_t)sums_row;
        }
        __builtin_prefetch((const void *)ahead.place);
        __builtin_prefetch((const void *)(ahead.place + ahead.second));
        ahead.place += ahead.step;
        const long steps = smaller((end - place) / panel_width, 16);
        const float *const stop = place + steps * panel_width;
#pragma clang loop unroll_count(2)
        for (; place != stop; place += panel_width) {
            __m512 columns[4];
#pragma clang loop unroll(full)
            for (int part = 0; part < vectors; part++)
                columns[part] = _mm512_load_ps(place + part / 2 * panel_size + part % 2 * 16);
#pragma clang loop unroll(full)
            for (int r = 0; r < count; r++) {
                const __m512 value = _mm512_set1_ps(*(const float *)(values + rows[r]));
#pragma clang loop unroll(full)
                for (int part = 0; part < vectors; part++) {
                    __m512 *const sum = &sums[r * vectors + part];
                    *sum = _mm512_fmadd_ps(value, columns[part], *sum);
                }
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
#pragma clang loop unroll(full)
        for (int part = 0; part < vectors; part++) {
            float *target = c + r * c_row + part * 16;
            __m512 sum = sums[r * vectors + part];
            if (strip->accumulate) sum += _mm512_loadu_ps(target);
            _mm512_storeu_ps(target, sum);
        }
}

// A function for every number of rows: of a left operand that is read where it is, by one panel or by
// two, and of one that is laid out in strips. Their addresses and sums take all registers that there are.
#define FUNCTION(name, count, ...)                                                     \
    WITH_WIDE __attribute__((noinline)) static void name##count(const struct strip *s) { \
        multiply(count, __VA_ARGS__, s);                                               \
    }
#define STRIP(count) FUNCTION(of_rows_, count, 2, 1) FUNCTION(laid_out_, count, 2, st_strip_rows)
ST_EACH_STRIP(STRIP)
#undef STRIP
#define PAIR(count) FUNCTION(by_two_, count, 4, 1)
PAIR(1) PAIR(2) PAIR(3) PAIR(4) PAIR(5) PAIR(6)
#undef PAIR
#undef FUNCTION

typedef void (*multiplication)(const struct strip *);
#define STRIP(count) of_rows_##count,
static const multiplication of_rows[] = {0, ST_EACH_STRIP(STRIP)};
#undef STRIP
#define STRIP(count) laid_out_##count,
static const multiplication laid_out[] = {0, ST_EACH_STRIP(STRIP)};
#undef STRIP
static const multiplication by_two[] = {0,        by_two_1, by_two_2, by_two_3,
                                        by_two_4, by_two_5, by_two_6};

/// m rows of c by two panels. `strip` is the first one, `second` what it fetches after 16 strips.
WITH_WIDE static void rows_by_two(long m, struct strip strip, struct ahead second) {
    for (long i = 0, number = 1; i < m; i += rows_by_two_panels, number++) {
        const long count = smaller(m - i, rows_by_two_panels);
        by_two[count](&strip);
        strip.c += count * strip.c_row;
        strip.a += count * strip.row;
        strip.ahead.place += strip.ahead.strip;
        if (number == 16) strip.ahead = second;
        if (number == 32) strip.ahead = no_panel(strip.panel);
    }
}

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

/// Columns of b [depth, 32] from its value `place` on, of which `width` are there.
WITH_WIDE static inline __attribute__((always_inline)) void fill_panel(
    long depth, long width, enum kind kind, const void *b, long place, long b_row, float *panel) {
    const __mmask16 parts[2] = {lanes_of(width), lanes_of(width - 16)};
    for (long l = 0; l < depth; l++)
        for (int part = 0; part < 2; part++)
            _mm512_store_ps(
                panel + l * panel_width + part * 16,
                values_of(kind, b, place + l * b_row + part * 16, parts[part]));
}

/// The same from bᵀ [32, depth].
WITH_WIDE static inline __attribute__((always_inline)) void fill_panel_transposed(
    long depth, long width, enum kind kind, const void *b, long place, long b_row, float *panel) {
    for (int half = 0; half < 2; half++)
        for (long l = 0; l < depth; l += 16) {
            const __mmask16 part = lanes_of(depth - l);
            __m512i square[16];
#pragma clang loop unroll(full)
            for (int r = 0; r < 16; r++) {
                const long column = half * 16 + r;
                // Past the operand's end nothing is read: no lane is asked for.
                const __mmask16 lanes = column < width ? part : 0;
                const long row = smaller(column, width - 1) * b_row;
                square[r] = (__m512i)values_of(kind, b, place + row + l, lanes);
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
    long count, long depth, enum kind kind, const void *a, long place, long a_row, float *copy) {
    for (long i = 0; i < count; i++)
        for (long l = 0; l < depth; l += 16)
            _mm512_store_ps(
                copy + i * copy_row + l,
                values_of(kind, a, place + i * a_row + l, lanes_of(depth - l)));
}

/// Products of no terms.
static void clear(long m, long n, float *c) { memset(c, 0, (size_t)(m * n) * sizeof *c); }

/// The right operand, [k, n] or transposed. Where it is rounded, the left one has bfloat16 values.
struct right {
    const float *b;
    long n, k;
    bool transposed, rounded;
};

/// Columns from j on, rows from l on: to a panel.
WITH_WIDE static inline __attribute__((always_inline)) void fill(
    const struct right right, long l, long depth, long j, float *panel) {
    const long width = smaller(right.n - j, panel_width);
    const enum kind kind = right.rounded ? to_round : floats;
    if (right.transposed) {
        fill_panel_transposed(depth, width, kind, right.b, j * right.k + l, right.k, panel);
    } else {
        fill_panel(depth, width, kind, right.b, l * right.n + j, right.n, panel);
    }
}

/// What the same panel is made of, to be fetched.
static inline struct ahead fetched(
    const struct right right, long l, long j, const float *panel) {
    if (j >= right.n) return no_panel(panel);
    return right.transposed ? these_rows(right.b + j * right.k + l, right.k)
                            : these_columns(floats, right.b, l * right.n + j, right.n);
}

/// c [m, n] = a · right, or += with `accumulate`.
WITH_WIDE static inline __attribute__((always_inline)) void times(
    long m, const void *a, const struct right right, float *c, bool accumulate) {
    float panels[2 * panel_size] __attribute__((aligned(64)));
    float copy[copy_row * block_rows] __attribute__((aligned(64)));
    const long n = right.n, k = right.k;
    // Value l of every row is in the same set of the first cache, which has fewer places than a
    // strip has rows.
    const bool copied = right.rounded || k % 1024 == 0;
    const enum kind kind = right.rounded ? halves : floats;
    const long block = copied ? rows_of_a_block(m) : m;
    const bool by_two_panels = prefers_two_panels();
    if (k == 0 && !accumulate) clear(m, n, c);
    for (long l = 0; l < k; l += panel_depth) {
        const long depth = smaller(k - l, panel_depth);
        for (long i = 0; i < m; i += block) {
            const long count = smaller(m - i, block);
            if (copied) copy_rows(count, depth, kind, a, i * k + l, k, copy);
            const float *left = copied ? copy : (const float *)a + i * k + l;
            const long row = copied ? copy_row : k;
            long j = 0;
            struct strip strip = {
                depth, left, row, panels, c + i * n, n, accumulate || l > 0, no_panel(panels)};
            for (; by_two_panels && j + 2 * panel_width <= n; j += 2 * panel_width) {
                fill(right, l, depth, j, panels);
                fill(right, l, depth, j + panel_width, panels + panel_size);
                strip.c = c + i * n + j;
                strip.ahead = fetched(right, l, j + 2 * panel_width, panels);
                rows_by_two(count, strip, fetched(right, l, j + 3 * panel_width, panels));
            }
            for (; j < n; j += panel_width) {
                fill(right, l, depth, j, panels);
                strip.c = c + i * n + j;
                strip.ahead = fetched(right, l, j + panel_width, panels);
                rows_by_panel(
                    count, of_rows, strip, st_strip_rows * row, smaller(n - j, panel_width));
            }
        }
    }
}

WITH_WIDE void st_f32_times_transposed(
    long m, long n, long k, const float *a, const float *b, float *c, bool accumulate) {
    times(m, a, (struct right){b, n, k, true, false}, c, accumulate);
}

WITH_WIDE void st_rounded_times_transposed(
    long m, long n, long k, const uint16_t *a, const float *b, float *c, bool accumulate) {
    times(m, a, (struct right){b, n, k, true, true}, c, accumulate);
}

WITH_WIDE void st_f32_times(
    long m, long n, long k, const float *a, const float *b, float *c, bool accumulate) {
    times(m, a, (struct right){b, n, k, false, false}, c, accumulate);
}

WITH_WIDE void st_rounded_times(
    long m, long n, long k, const uint16_t *a, const float *b, float *c, bool accumulate) {
    times(m, a, (struct right){b, n, k, false, true}, c, accumulate);
}

/// Columns of a [depth, count], from its value `place` on, cut into strips [depth, 14] one after the
/// other.
WITH_WIDE static inline __attribute__((always_inline)) void fill_strips(
    long depth, long count, enum kind kind, const void *a, long place, long a_row, float *strips) {
    for (long l = 0; l < depth; l++)
        for (long i = 0; i < count; i += st_strip_rows) {
            const __mmask16 part = lanes_of(smaller(count - i, st_strip_rows));
            // 16 rows ahead, as the next one is elsewhere in memory each time.
            __builtin_prefetch((const void *)address_of(kind, a, place + (l + 16) * a_row + i));
            _mm512_mask_storeu_ps(
                strips + i * depth + l * st_strip_rows, part,
                values_of(kind, a, place + l * a_row + i, part));
        }
}

/// c [m, n] = aᵀ · b, or += with `accumulate`, of operands of one kind.
WITH_WIDE static inline __attribute__((always_inline)) void transposed_times(
    long m, long n, long k, enum kind kind, const void *a, long a_row, const void *b, float *c,
    bool accumulate) {
    float panel[panel_size] __attribute__((aligned(64)));
    float strips[panel_depth * block_rows] __attribute__((aligned(64)));
    const long block = rows_of_a_block(m);
    if (k == 0 && !accumulate) clear(m, n, c);
    for (long l = 0; l < k; l += panel_depth) {
        const long depth = smaller(k - l, panel_depth);
        for (long i = 0; i < m; i += block) {
            const long count = smaller(m - i, block);
            fill_strips(depth, count, kind, a, l * a_row + i, a_row, strips);
            for (long j = 0; j < n; j += panel_width) {
                const long place = l * n + j;
                const long width = smaller(n - j, panel_width);
                fill_panel(depth, width, kind, b, place, n, panel);
                const bool last = j + panel_width >= n;
                const struct strip first = {
                    depth, strips, 1, panel, c + i * n + j, n, accumulate || l > 0,
                    last ? no_panel(panel) : these_columns(kind, b, place + panel_width, n)};
                rows_by_panel(count, laid_out, first, st_strip_rows * depth, width);
            }
        }
    }
}

WITH_WIDE void st_f32_transposed_times(
    long m, long n, long k, const float *a, long a_row, const float *b, float *c,
    bool accumulate) {
    transposed_times(m, n, k, floats, a, a_row, b, c, accumulate);
}

WITH_WIDE void st_rounded_transposed_times(
    long m, long n, long k, const uint16_t *a, long a_row, const uint16_t *b, float *c,
    bool accumulate) {
    transposed_times(m, n, k, halves, a, a_row, b, c, accumulate);
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
    long m, long n, long k, const uint16_t *a, long a_row, const uint16_t *b, float *c,
    bool accumulate) {}

#endif
