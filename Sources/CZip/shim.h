/* libzip for Swift, opened when the first archive is: linking it would load libcrypto, too, and add
 * 0.7 ms to the start of every script. */
#ifndef ST_CZIP_SHIM_H
#define ST_CZIP_SHIM_H

#include <dlfcn.h>
#include <stdbool.h>
#include <zip.h>

struct st_zip {
    __typeof__(&zip_open) open;
    __typeof__(&zip_discard) discard;
    __typeof__(&zip_get_num_entries) get_num_entries;
    __typeof__(&zip_stat_index) stat_index;
    __typeof__(&zip_fopen_index) fopen_index;
    __typeof__(&zip_fread) fread;
    __typeof__(&zip_fclose) fclose;
    __typeof__(&zip_strerror) strerror;
    __typeof__(&zip_file_strerror) file_strerror;
    __typeof__(&zip_error_init_with_code) error_init_with_code;
    __typeof__(&zip_error_strerror) error_strerror;
    __typeof__(&zip_error_fini) error_fini;
};

/* Debian's name since 2012 ("4") and since 2020 ("5"), the calls above are the same in both. */
static inline bool st_zip_open(struct st_zip *zip) {
    void *library = dlopen("libzip.so.4", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) library = dlopen("libzip.so.5", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return false;
#define ST_ZIP_FIND(name) \
    zip->name = (__typeof__(zip->name))dlsym(library, "zip_" #name); \
    if (zip->name == NULL) return false
    ST_ZIP_FIND(open);
    ST_ZIP_FIND(discard);
    ST_ZIP_FIND(get_num_entries);
    ST_ZIP_FIND(stat_index);
    ST_ZIP_FIND(fopen_index);
    ST_ZIP_FIND(fread);
    ST_ZIP_FIND(fclose);
    ST_ZIP_FIND(strerror);
    ST_ZIP_FIND(file_strerror);
    ST_ZIP_FIND(error_init_with_code);
    ST_ZIP_FIND(error_strerror);
    ST_ZIP_FIND(error_fini);
#undef ST_ZIP_FIND
    return true;
}

#endif
