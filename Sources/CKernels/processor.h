#ifndef ST_PROCESSOR_H
#define ST_PROCESSOR_H

// What the processor offers and the system allows. For the C files beside this one.

#include <stdbool.h>

/// AVX512F, BW and VL, with registers that the system saves.
bool st_has_avx512(void);

/// One of Intel's.
bool st_is_intel(void);

#endif
