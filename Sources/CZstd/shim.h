#ifndef ST_CZSTD_SHIM_H
#define ST_CZSTD_SHIM_H

#include <zstd.h>

#endif
