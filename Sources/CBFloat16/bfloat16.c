// See include/CBFloat16.h.
#include "include/CBFloat16.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// These functions are compiled for instructions that the rest of the program does without.
#define WITH_TILES \
    __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512bf16")))

static bool has_instructions(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    const unsigned tiles = (1u << 24) | (1u << 22);  // AMX-TILE, AMX-BF16
    const unsigned vectors = (1u << 16) | (1u << 30) | (1u << 31);  // AVX512F, BW, VL
    if ((d & tiles) != tiles || (b & vectors) != vectors) return false;
    if (!__get_cpuid_count(7, 1, &a, &b, &c, &d)) return false;
    return a & (1u << 5);  // AVX512_BF16
}

bool st_bf16_available(void) {
    static int known = 0;  // 1: yes, 2: no. Any thread finds the same.
    int state = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (state == 0) {
        // Linux hands out the tile registers on request: ARCH_REQ_XCOMP_PERM for XTILEDATA.
        state = has_instructions() && syscall(SYS_arch_prctl, 0x1023, 18) == 0 ? 1 : 2;
        __atomic_store_n(&known, state, __ATOMIC_RELAXED);
    }
    return state == 1;
}

static inline long up(long count) { return (count + 31) & ~31L; }

WITH_TILES static inline __m512i convert(const float *from) {
    return (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + 16), _mm512_loadu_ps(from));
}

/// 16 values of two rows, the upper one's in the low halves.
WITH_TILES static inline __m512i pair(const float *upper, const float *lower) {
    __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(upper)));
    if (!lower) return low;
    __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(lower)));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

WITH_TILES void st_bf16_rows(
    long rows, long columns, const float *from, long from_row, uint16_t *to) {
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j += 32)
            _mm512_storeu_si512(to + i * columns + j, convert(from + i * from_row + j));
    memset(to + rows * columns, 0, (size_t)((up(rows) - rows) * columns) * sizeof *to);
}

WITH_TILES void st_bf16_panels(
    long depth, long columns, const float *b, long b_row, uint16_t *to) {
    const long full = up(depth);
    for (long l = 0; l < full; l += 2) {
        const float *row = b + l * b_row;
        for (long j = 0; j < columns; j += 16) {
            __m512i value = _mm512_setzero_si512();
            if (l < depth) value = pair(row + j, l + 1 < depth ? row + b_row + j : 0);
            _mm512_storeu_si512(to + (j / 32) * 32 * full + l * 32 + (j % 32) * 2, value);
        }
    }
}

static const int lanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

WITH_TILES void st_bf16_panels_transposed(
    long depth, long columns, const float *b, long b_row, uint16_t *to) {
    // A pair of neighbours along the depth is 32 bits: these move as they are.
    const __m512i places = _mm512_slli_epi32(_mm512_loadu_si512(lanes), 5);
    for (long j = 0; j < columns; j++) {
        uint16_t *target = to + (j / 32) * 32 * depth + (j % 32) * 2;
        for (long l = 0; l < depth; l += 32)
            _mm512_i32scatter_epi32(target + l * 32, places, convert(b + j * b_row + l), 4);
    }
}

WITH_TILES void st_bf16_transposed(
    long depth, long columns, const float *a, long a_row, uint16_t *to) {
    const long full = up(depth);
    const __m512i places =
        _mm512_mullo_epi32(_mm512_loadu_si512(lanes), _mm512_set1_epi32((int)(full / 2)));
    for (long j = 0; j < columns; j += 16)
        for (long l = 0; l < full; l += 2) {
            const float *row = a + l * a_row + j;
            __m512i value = _mm512_setzero_si512();
            if (l < depth) value = pair(row, l + 1 < depth ? row + a_row : 0);
            _mm512_i32scatter_epi32(to + j * full + l, places, value, 4);
        }
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

WITH_TILES void st_bf16_product(
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

#else

bool st_bf16_available(void) { return false; }
void st_bf16_rows(long rows, long columns, const float *from, long from_row, uint16_t *to) {}
void st_bf16_panels(long depth, long columns, const float *b, long b_row, uint16_t *to) {}
void st_bf16_panels_transposed(
    long depth, long columns, const float *b, long b_row, uint16_t *to) {}
void st_bf16_transposed(long depth, long columns, const float *a, long a_row, uint16_t *to) {}
void st_bf16_product(
    long m, long n, long k, const uint16_t *a, const uint16_t *b, float *c, long c_row,
    bool accumulate) {}

#endif
