/* OpenSSL's digests for Swift, opened at first use together with libcurl, which brings the library. */
#ifndef ST_CCRYPTO_SHIM_H
#define ST_CCRYPTO_SHIM_H

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <stdbool.h>

struct st_crypto {
    __typeof__(&EVP_MD_CTX_new) context_new;
    __typeof__(&EVP_MD_CTX_free) context_free;
    __typeof__(&EVP_get_digestbyname) digest_by_name;
    __typeof__(&EVP_DigestInit_ex) init;
    __typeof__(&EVP_DigestUpdate) update;
    __typeof__(&EVP_DigestFinal_ex) final;
};

#define ST_TEXT_OF(number) #number
#define ST_TEXT(number) ST_TEXT_OF(number)

static inline bool st_crypto_open(struct st_crypto *crypto) {
    void *library = dlopen("libcrypto.so." ST_TEXT(OPENSSL_SHLIB_VERSION), RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return false;
#define ST_CRYPTO_FIND(field, name) \
    crypto->field = (__typeof__(crypto->field))dlsym(library, name); \
    if (crypto->field == NULL) return false
    ST_CRYPTO_FIND(context_new, "EVP_MD_CTX_new");
    ST_CRYPTO_FIND(context_free, "EVP_MD_CTX_free");
    ST_CRYPTO_FIND(digest_by_name, "EVP_get_digestbyname");
    ST_CRYPTO_FIND(init, "EVP_DigestInit_ex");
    ST_CRYPTO_FIND(update, "EVP_DigestUpdate");
    ST_CRYPTO_FIND(final, "EVP_DigestFinal_ex");
#undef ST_CRYPTO_FIND
    return true;
}

#endif
