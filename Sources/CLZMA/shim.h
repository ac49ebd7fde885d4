/* liblzma for Swift: what its macros say. */
#ifndef ST_CLZMA_SHIM_H
#define ST_CLZMA_SHIM_H

#include <lzma.h>

static inline lzma_stream st_lzma_stream(void) {
    lzma_stream stream = LZMA_STREAM_INIT;
    return stream;
}

static inline uint32_t st_lzma_concatenated(void) { return LZMA_CONCATENATED; }

#endif
