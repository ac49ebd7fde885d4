#ifndef ST_STRIPS_H
#define ST_STRIPS_H

// Products go through their rows in strips of 14, whose sums fill the registers. For the C files
// beside this one.

enum { st_strip_rows = 14 };

/// Where the rows of a strip are, counted from its first, in terms of what an address takes. Left to
/// itself the compiler makes a chain of additions, one for each row, which compete with the products
/// for a processor's ports, and for what it can begin at once where another thread shares it.
static inline __attribute__((always_inline)) void st_places_of_rows(
    long one, long rows[st_strip_rows]) {
    long three = 3 * one, five = 5 * one, seven = 7 * one, nine = 9 * one, eleven = 11 * one;
    long thirteen = 13 * one;
    __asm__("" : "+r"(one), "+r"(three), "+r"(five), "+r"(seven), "+r"(nine), "+r"(eleven),
            "+r"(thirteen));
    const long places[st_strip_rows] = {
        0, one, 2 * one, three, 4 * one, five, 2 * three, seven,
        8 * one, nine, 2 * five, eleven, 4 * three, thirteen};
    for (int r = 0; r < st_strip_rows; r++) rows[r] = places[r];
}

/// STRIP(n) for every number of rows that a strip can have.
#define ST_EACH_STRIP(STRIP)                                                       \
    STRIP(1) STRIP(2) STRIP(3) STRIP(4) STRIP(5) STRIP(6) STRIP(7) STRIP(8) STRIP(9) \
    STRIP(10) STRIP(11) STRIP(12) STRIP(13) STRIP(14)

/// STRIP(n) with n, known to the compiler, the rows that are left after whole strips.
#define ST_LAST_STRIP(left, STRIP) \
    switch (left) {                \
    case 1: STRIP(1); break;       \
    case 2: STRIP(2); break;       \
    case 3: STRIP(3); break;       \
    case 4: STRIP(4); break;       \
    case 5: STRIP(5); break;       \
    case 6: STRIP(6); break;       \
    case 7: STRIP(7); break;       \
    case 8: STRIP(8); break;       \
    case 9: STRIP(9); break;       \
    case 10: STRIP(10); break;     \
    case 11: STRIP(11); break;     \
    case 12: STRIP(12); break;     \
    case 13: STRIP(13); break;     \
    }

#endif
