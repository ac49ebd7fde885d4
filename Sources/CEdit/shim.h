#ifndef ST_CEDIT_SHIM_H
#define ST_CEDIT_SHIM_H

#include <stdio.h>
#include <editline/readline.h>

#endif
