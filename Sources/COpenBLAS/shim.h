#ifndef ST_COPENBLAS_SHIM_H
#define ST_COPENBLAS_SHIM_H

#include <cblas.h>

#endif
