#ifndef ST_CKERNELS_H
#define ST_CKERNELS_H

// Kernels for instructions of x86 processors that Swift does not reach or that are chosen at run
// time: shuffles of whole registers, products of float32 matrices (AVX-512), and products of bfloat16
// matrices with float32 sums, on the tile registers (AMX) or with the dot products (AVX512_BF16).
// Callers in Sources/Training/Kernels/ choose the shapes.

// And a function of the C library that Swift does not see.

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

/// Gives free memory between allocations back to the system.
static inline void st_return_freed(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

/// The same value, of which the compiler knows nothing after.
static inline long st_opaque(long value) {
    __asm__("" : "+r"(value));
    return value;
}

/// Asks for values that are needed soon, a line of the cache at a time. The address may be anything.
static inline void st_fetch(const float *values, long count) {
    for (long place = 0; place < count; place += 16) __builtin_prefetch(values + place);
}

/// Has the system make the pages of these values writable, whatever they hold, and nothing else.
///
/// A zero page that is read first and written then is handed out twice, and the second time every
/// other thread of the process is interrupted.
static inline void st_own_pages(float *values, long count) {
#if defined(__x86_64__)
    const uintptr_t end = (uintptr_t)(values + count);
    // Read and written in one step, as other threads may write to the same page.
    for (uintptr_t place = (uintptr_t)values; place < end; place = (place | 4095) + 1)
        __asm__ volatile("lock orl $0, %0" : "+m"(*(uint32_t *)place) : : "cc");
#else
    (void)values, (void)count;
#endif
}

typedef float st_floats16 __attribute__((ext_vector_type(16)));
typedef uint32_t st_words16 __attribute__((ext_vector_type(16)));
typedef uint16_t st_halves16 __attribute__((ext_vector_type(16)));

/// 16 values rounded to bfloat16, to nearest, ties to even. What is not a number stays so.
static inline __attribute__((always_inline)) st_halves16 st_rounded(st_floats16 x) {
#if defined(__AVX512BF16__) && defined(__AVX512VL__)
    return (st_halves16)_mm512_cvtneps_pbh((__m512)x);
#else
    const st_words16 bits = (st_words16)x;
    const st_words16 near = bits + 0x7fff + (bits >> 16 & 1);
    const st_words16 numbers = (st_words16)(x == x);
    const st_words16 chosen = (near & numbers) | ((bits | 0x400000) & ~numbers);
    return __builtin_convertvector(chosen >> 16, st_halves16);
#endif
}

static inline __attribute__((always_inline)) st_floats16 st_widened(st_halves16 halves) {
    return (st_floats16)(__builtin_convertvector(halves, st_words16) << 16);
}

static inline __attribute__((always_inline)) void st_store_halves(
    uint16_t *to, st_halves16 halves) {
    __builtin_memcpy(to, &halves, sizeof halves);
}

static inline __attribute__((always_inline)) st_halves16 st_load_halves(const uint16_t *from) {
    st_halves16 halves;
    __builtin_memcpy(&halves, from, sizeof halves);
    return halves;
}

/// to[j, i] = scale · from[i, j]. Any sizes, any processor; fast with AVX or AVX-512.
void st_transpose(
    long rows, long columns, float scale, const float *from, long from_row, float *to, long to_row);

/// Whether the processor has AVX-512, for the six products that follow. They take any sizes, and the
/// rows of c follow each other.
bool st_f32_has_products(void);

/// c [m, n] = a · bᵀ, or += with `accumulate`; a [m, k], b [n, k].
void st_f32_times_transposed(
    long m, long n, long k, const float *a, const float *b, float *c, bool accumulate);

/// c [m, n] = a · b, or += with `accumulate`; a [m, k], b [k, n].
void st_f32_times(
    long m, long n, long k, const float *a, const float *b, float *c, bool accumulate);

/// c [m, n] = aᵀ · b, or += with `accumulate`; a [k, m] with rows `a_row` apart, b [k, n].
void st_f32_transposed_times(
    long m, long n, long k, const float *a, long a_row, const float *b, float *c,
    bool accumulate);

// The same products of bfloat16 values, at float32's rate: a has such. So has b of the last one; of the
// first two it is rounded to such, to nearest, ties to even.

void st_rounded_times_transposed(
    long m, long n, long k, const uint16_t *a, const float *b, float *c, bool accumulate);
void st_rounded_times(
    long m, long n, long k, const uint16_t *a, const float *b, float *c, bool accumulate);
void st_rounded_transposed_times(
    long m, long n, long k, const uint16_t *a, long a_row, const uint16_t *b, float *c,
    bool accumulate);

/// What multiplies.
typedef enum {
    st_bf16_none,     ///< plain C, slow, with the same bits: for tests on any processor
    st_bf16_vectors,  ///< AVX512_BF16: AMD since Zen 4, Intel since Cooper Lake
    st_bf16_tiles     ///< AMX: Intel since Sapphire Rapids
} st_bf16_unit;

/// The fastest that processor and system offer; asks the system for the tiles at the first call.
/// With tiles there are vectors, too.
st_bf16_unit st_bf16_best_unit(void);

/// Whether vectors multiply more bfloat16 values in a time than float32 values: on AMD's processors
/// twice as many, on Intel's half as many.
bool st_bf16_has_fast_vectors(void);

/// to[i, j] = from[i, j] for i < rows, 0 up to a multiple of 32 rows. `columns` is a multiple of 32;
/// the rows of `to` follow each other.
void st_bf16_rows(long rows, long columns, const float *from, long from_row, uint16_t *to);

/// Right operand from b [depth, columns]: panels of 32 columns, each [depth / 2][32][2], two rows
/// side by side. `columns` is a multiple of 32; `depth` is filled up to one with zeros.
void st_bf16_panels(long depth, long columns, const float *b, long b_row, uint16_t *to);

/// The same from bfloat16 values.
void st_bf16_panels_rows(
    long depth, long columns, const uint16_t *b, long b_row, uint16_t *to);

/// Panels from bᵀ, which is [columns, depth]; both are multiples of 32.
void st_bf16_panels_transposed(long depth, long columns, const float *b, long b_row, uint16_t *to);

/// Left operand aᵀ [columns, depth] from a [depth, columns], filled up like the panels.
void st_bf16_transposed(long depth, long columns, const float *a, long a_row, uint16_t *to);

/// The same from bfloat16 values.
void st_bf16_transposed_rows(
    long depth, long columns, const uint16_t *a, long a_row, uint16_t *to);

/// c [m, n] = a · b, or += with `accumulate`, by a unit that there is: a has m rows of `k` values; b is
/// panels. n and k are multiples of 32. Of a, memory is read up to a multiple of 32 rows, whatever it
/// holds.
void st_bf16_product(
    st_bf16_unit unit, long m, long n, long k, const uint16_t *a, const uint16_t *b, float *c,
    long c_row, bool accumulate);

#endif
