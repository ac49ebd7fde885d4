/* libcurl for Swift, opened when the first request is made: linking it would add 7 ms of processor
 * time and 33 shared libraries to the start of every script, and most scripts download nothing.
 * The functions below stand for the variadic calls, which Swift cannot make. */
#ifndef ST_CCURL_SHIM_H
#define ST_CCURL_SHIM_H

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdbool.h>

/* The functions of libcurl that are used, by the library's own declarations. */
struct st_curl {
    __typeof__(&curl_global_init) global_init;
    __typeof__(&curl_easy_init) easy_init;
    __typeof__(&curl_easy_setopt) easy_setopt;
    __typeof__(&curl_easy_perform) easy_perform;
    __typeof__(&curl_easy_getinfo) easy_getinfo;
    __typeof__(&curl_easy_reset) easy_reset;
    __typeof__(&curl_easy_cleanup) easy_cleanup;
    __typeof__(&curl_easy_strerror) easy_strerror;
    __typeof__(&curl_slist_append) slist_append;
    __typeof__(&curl_slist_free_all) slist_free_all;
};

/* Opens the library; false leaves dlerror's sentence to the caller. The name has been the same
 * since 2006. */
static inline bool st_curl_open(struct st_curl *curl) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return false;
#define ST_CURL_FIND(name) \
    curl->name = (__typeof__(curl->name))dlsym(library, "curl_" #name); \
    if (curl->name == NULL) return false
    ST_CURL_FIND(global_init);
    ST_CURL_FIND(easy_init);
    ST_CURL_FIND(easy_setopt);
    ST_CURL_FIND(easy_perform);
    ST_CURL_FIND(easy_getinfo);
    ST_CURL_FIND(easy_reset);
    ST_CURL_FIND(easy_cleanup);
    ST_CURL_FIND(easy_strerror);
    ST_CURL_FIND(slist_append);
    ST_CURL_FIND(slist_free_all);
#undef ST_CURL_FIND
    return curl->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

typedef size_t (*st_curl_bytes)(char *bytes, size_t size, size_t count, void *context);
typedef int (*st_curl_progress)(
    void *context, curl_off_t total, curl_off_t now, curl_off_t upload_total, curl_off_t upload_now);

static inline CURLcode st_curl_set_long(
    const struct st_curl *curl, CURL *handle, CURLoption option, long value) {
    return curl->easy_setopt(handle, option, value);
}

static inline CURLcode st_curl_set_text(
    const struct st_curl *curl, CURL *handle, CURLoption option, const char *value) {
    return curl->easy_setopt(handle, option, value);
}

static inline CURLcode st_curl_set_pointer(
    const struct st_curl *curl, CURL *handle, CURLoption option, void *value) {
    return curl->easy_setopt(handle, option, value);
}

static inline CURLcode st_curl_set_bytes(
    const struct st_curl *curl, CURL *handle, CURLoption option, st_curl_bytes function) {
    return curl->easy_setopt(handle, option, function);
}

static inline CURLcode st_curl_set_progress(
    const struct st_curl *curl, CURL *handle, st_curl_progress function) {
    return curl->easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, function);
}

static inline long st_curl_get_long(const struct st_curl *curl, CURL *handle, CURLINFO info) {
    long value = 0;
    return curl->easy_getinfo(handle, info, &value) == CURLE_OK ? value : 0;
}

static inline curl_off_t st_curl_get_offset(
    const struct st_curl *curl, CURL *handle, CURLINFO info) {
    curl_off_t value = 0;
    return curl->easy_getinfo(handle, info, &value) == CURLE_OK ? value : 0;
}

#endif
