#ifndef ST_CBROTLI_SHIM_H
#define ST_CBROTLI_SHIM_H

#include <brotli/decode.h>

#endif
