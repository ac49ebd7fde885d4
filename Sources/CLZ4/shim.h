#ifndef ST_CLZ4_SHIM_H
#define ST_CLZ4_SHIM_H

#include <lz4.h>

#endif
