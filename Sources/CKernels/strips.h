#ifndef ST_STRIPS_H
#define ST_STRIPS_H

// Products go through their rows in strips of 14, whose sums fill the registers. For the C files
// beside this one.

enum { st_strip_rows = 14 };

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
