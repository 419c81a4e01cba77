#include "answer/hmac.h"

#include <string.h>

enum { BLOCK_MAX = SHA512_CBLOCK };

static void start(union hmac_context *context, enum hmac_hash hash)
{
    if (hash == HMAC_SHA256)
        SHA256_Init(&context->sha256);
    else if (hash == HMAC_SHA384)
        SHA384_Init(&context->sha512);
    else
        SHA512_Init(&context->sha512);
}

static void add(union hmac_context *context, enum hmac_hash hash, const void *octets, size_t length)
{
    if (hash == HMAC_SHA256)
        SHA256_Update(&context->sha256, octets, length);
    else
        SHA512_Update(&context->sha512, octets, length);
}

static void end(union hmac_context *context, enum hmac_hash hash, uint8_t result[HMAC_OCTETS_MAX])
{
    if (hash == HMAC_SHA256)
        SHA256_Final(result, &context->sha256);
    else
        SHA512_Final(result, &context->sha512);
}

static size_t block_length(enum hmac_hash hash)
{
    return hash == HMAC_SHA256 ? SHA256_CBLOCK : SHA512_CBLOCK;
}

size_t hmac_length(const struct hmac_key *key)
{
    static const size_t lengths[HMAC_HASHES] = {[HMAC_SHA256] = SHA256_DIGEST_LENGTH,
                                                [HMAC_SHA384] = SHA384_DIGEST_LENGTH,
                                                [HMAC_SHA512] = SHA512_DIGEST_LENGTH};

    return lengths[key->hash];
}

/* Starts a hash with the secret, each octet changed by `pad`. */
static void start_with(union hmac_context *context, enum hmac_hash hash,
                       const uint8_t block[BLOCK_MAX], uint8_t pad)
{
    uint8_t padded[BLOCK_MAX];

    for (size_t i = 0; i < BLOCK_MAX; i++)
        padded[i] = block[i] ^ pad;
    start(context, hash);
    add(context, hash, padded, block_length(hash));
}

void hmac_prepare(struct hmac_key *key, enum hmac_hash hash, const uint8_t *secret, size_t length)
{
    uint8_t block[BLOCK_MAX] = {0};

    memset(key, 0, sizeof *key); /* all of it, so that keys can be compared */
    key->hash = hash;
    if (length > block_length(hash)) {
        start(&key->inner, hash);
        add(&key->inner, hash, secret, length);
        end(&key->inner, hash, block);
    } else if (length > 0) {
        memcpy(block, secret, length);
    }
    start_with(&key->inner, hash, block, 0x36);
    start_with(&key->outer, hash, block, 0x5C);
}

void hmac_begin(struct hmac *hmac, const struct hmac_key *key)
{
    hmac->key = key;
    hmac->context = key->inner;
}

void hmac_add(struct hmac *hmac, const void *octets, size_t length)
{
    add(&hmac->context, hmac->key->hash, octets, length);
}

void hmac_end(struct hmac *hmac, uint8_t result[HMAC_OCTETS_MAX])
{
    enum hmac_hash hash = hmac->key->hash;
    uint8_t inner[HMAC_OCTETS_MAX];

    end(&hmac->context, hash, inner);
    hmac->context = hmac->key->outer;
    add(&hmac->context, hash, inner, hmac_length(hmac->key));
    end(&hmac->context, hash, result);
}
