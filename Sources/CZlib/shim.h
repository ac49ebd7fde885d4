#ifndef ST_CZLIB_SHIM_H
#define ST_CZLIB_SHIM_H

#include <zlib.h>

#endif
