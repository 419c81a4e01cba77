/*
 * HMAC (RFC 2104) with the hashes of RFC 8945 that sorrel knows.
 */
#ifndef SORREL_ANSWER_HMAC_H
#define SORREL_ANSWER_HMAC_H

/* The one-shot and EVP interfaces allocate; these, though deprecated, do not. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <stddef.h>
#include <stdint.h>

enum hmac_hash { HMAC_SHA256, HMAC_SHA384, HMAC_SHA512, HMAC_HASHES };

enum { HMAC_OCTETS_MAX = SHA512_DIGEST_LENGTH };

/* A hash under way. */
union hmac_context {
    SHA256_CTX sha256;
    SHA512_CTX sha512; /* SHA-384, too */
};

/* A secret made ready: what both hashes are once they have had it. */
struct hmac_key {
    enum hmac_hash hash;
    union hmac_context inner, outer;
};

struct hmac {
    const struct hmac_key *key;
    union hmac_context context;
};

void hmac_prepare(struct hmac_key *key, enum hmac_hash hash, const uint8_t *secret, size_t length);

/* Octets of its results. */
size_t hmac_length(const struct hmac_key *key);

/* `key` must outlive it. */
void hmac_begin(struct hmac *hmac, const struct hmac_key *key);
void hmac_add(struct hmac *hmac, const void *octets, size_t length);
void hmac_end(struct hmac *hmac, uint8_t result[HMAC_OCTETS_MAX]);

#endif
