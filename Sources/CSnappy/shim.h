#ifndef ST_CSNAPPY_SHIM_H
#define ST_CSNAPPY_SHIM_H

#include <snappy-c.h>

#endif
