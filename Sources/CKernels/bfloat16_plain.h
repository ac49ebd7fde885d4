#ifndef ST_BFLOAT16_PLAIN_H
#define ST_BFLOAT16_PLAIN_H

// What the instructions for bfloat16 do, in plain C with the same layouts and, but for sums that
// leave float's normal range, the same bits: for tests on processors that lack them.

#include <stdbool.h>
#include <stdint.h>

void st_plain_rows(long rows, long columns, const float *from, long from_row, uint16_t *to);
void st_plain_panels(long depth, long columns, const float *b, long b_row, uint16_t *to);
void st_plain_panels_rows(
    long depth, long columns, const uint16_t *b, long b_row, uint16_t *to);
void st_plain_panels_transposed(
    long depth, long columns, const float *b, long b_row, uint16_t *to);
void st_plain_transposed(long depth, long columns, const float *a, long a_row, uint16_t *to);
void st_plain_transposed_rows(
    long depth, long columns, const uint16_t *a, long a_row, uint16_t *to);
void st_plain_product(
    long m, long n, long k, const uint16_t *a, const uint16_t *b, float *c, long c_row,
    bool accumulate);

#endif
