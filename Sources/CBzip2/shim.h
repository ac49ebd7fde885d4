#ifndef ST_CBZIP2_SHIM_H
#define ST_CBZIP2_SHIM_H

#include <bzlib.h>

#endif
