#include "answer/cookie.h"

#include "message/wire.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static_assert(crypto_shorthash_KEYBYTES == COOKIE_SECRET_SIZE, "SipHash-2-4");

enum {
    VERSION = 1,

    /* Of a COOKIE option (RFC 9018 §4): the client's, version, 3 octets reserved, time, hash. */
    AT_VERSION = COOKIE_CLIENT_SIZE,
    AT_TIME = AT_VERSION + 4,
    AT_HASH = AT_TIME + 4,
};
static_assert((int)AT_HASH + crypto_shorthash_BYTES == COOKIE_SIZE, "RFC 9018 §4");

/* RFC 9018 §4.4: of all that stands before it, and the client's address. */
static void hash_cookie(const uint8_t *secret, const struct client *client, const uint8_t *cookie,
                        uint8_t hash[crypto_shorthash_BYTES])
{
    uint8_t input[AT_HASH + sizeof client->address];

    memcpy(input, cookie, AT_HASH);
    memcpy(input + AT_HASH, client->address, sizeof client->address);
    crypto_shorthash(hash, input, (size_t)AT_HASH + client->length, secret);
}

/* Seconds since a cookie was made, less than 0 if it is from the future (RFC 1982). */
static int32_t age_of(const uint8_t *cookie, uint32_t now)
{
    return (int32_t)(now - wire_read_u32(cookie + AT_TIME));
}

/* The number of the secret it was made with; secrets->count if it is not valid. */
static unsigned find_secret(const struct cookie_secrets *secrets, const struct client *client,
                            uint32_t now, const uint8_t *cookie)
{
    uint8_t hash[crypto_shorthash_BYTES];
    int32_t age = age_of(cookie, now);
    unsigned i;

    if (cookie[AT_VERSION] != VERSION || age > COOKIE_LIFETIME || age < -COOKIE_CLOCK_SKEW)
        return secrets->count;
    for (i = 0; i < secrets->count; i++) {
        hash_cookie(secrets->secrets[i], client, cookie, hash);
        if (sodium_memcmp(hash, cookie + AT_HASH, sizeof hash) == 0)
            break;
    }
    return i;
}

static void make_cookie(const struct cookie_secrets *secrets, const struct client *client,
                        uint32_t now, uint8_t *cookie)
{
    memset(cookie + AT_VERSION, 0, AT_TIME - AT_VERSION);
    cookie[AT_VERSION] = VERSION;
    wire_write_u32(cookie + AT_TIME, now);
    hash_cookie(secrets->secrets[0], client, cookie, cookie + AT_HASH);
}

enum cookie_state cookie_check(const struct cookie_secrets *secrets, const struct client *client,
                               uint32_t now, const uint8_t *option, size_t length,
                               uint8_t reply[COOKIE_SIZE])
{
    unsigned secret = length == COOKIE_SIZE ? find_secret(secrets, client, now, option)
                                            : secrets->count;
    bool valid = secret < secrets->count;

    memcpy(reply, option, valid ? COOKIE_SIZE : COOKIE_CLIENT_SIZE);
    if (!valid || secret != 0 || age_of(option, now) > COOKIE_RENEWED_AFTER)
        make_cookie(secrets, client, now, reply);
    if (length == COOKIE_CLIENT_SIZE)
        return COOKIE_NEW;
    return valid ? COOKIE_VALID : COOKIE_INVALID;
}
