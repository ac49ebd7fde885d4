/* SQLite for Swift: what its macros hide, and where a file lies, which decides its journal mode. */
#ifndef ST_CSQLITE_SHIM_H
#define ST_CSQLITE_SHIM_H

#include <sqlite3.h>
#include <sys/vfs.h>

/* SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift does not import. */
static inline int st_sqlite_bind_text(
    sqlite3_stmt *statement, int index, const char *text, long long count) {
    return sqlite3_bind_text64(
        statement, index, text, (sqlite3_uint64)count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* Macros with operators are not imported either. */
static const int st_sqlite_constraint_unique = SQLITE_CONSTRAINT_UNIQUE;
static const int st_sqlite_constraint_primary_key = SQLITE_CONSTRAINT_PRIMARYKEY;

/* The magic number of the file system that holds a path, 0 if it can't be told: Glibc's module
 * has no statfs. */
static inline unsigned int st_file_system_type(const char *path) {
    struct statfs info;
    return statfs(path, &info) == 0 ? (unsigned int)info.f_type : 0;
}

#endif
