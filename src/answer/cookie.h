/*
 * DNS cookies (RFC 7873): what shows that a client receives what is sent to its address. Server
 * cookies are those of RFC 9018, which all servers with the same secret make and know alike.
 */
#ifndef SORREL_ANSWER_COOKIE_H
#define SORREL_ANSWER_COOKIE_H

#include "answer/client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    COOKIE_CLIENT_SIZE = 8,
    COOKIE_SERVER_SIZE = 16,
    COOKIE_SIZE = COOKIE_CLIENT_SIZE + COOKIE_SERVER_SIZE,
    COOKIE_SECRET_SIZE = 16,
    COOKIE_SECRETS_MAX = 4,
};

/* Seconds (RFC 9018 §4.3). */
enum {
    COOKIE_LIFETIME = 3600,   /* no older ones are valid ... */
    COOKIE_CLOCK_SKEW = 300,  /* ... and none from further in the future */
    COOKIE_RENEWED_AFTER = 1800,
};

/* The first makes new cookies; cookies made with any of them are valid. So servers change to a new
 * secret one by one: all learn it as second, make it their first, and forget the old one. */
struct cookie_secrets {
    unsigned count; /* at least 1 */
    uint8_t secrets[COOKIE_SECRETS_MAX][COOKIE_SECRET_SIZE];
};

/* What a query says of the client's address. */
enum cookie_state {
    COOKIE_ABSENT,  /* nothing: it has no COOKIE option */
    COOKIE_NEW,     /* nothing: the client has none of our cookies yet */
    COOKIE_INVALID, /* nothing: not made for it by us, or too long ago */
    COOKIE_VALID,   /* it can be reached there */
};

/*
 * Judges the COOKIE option, `length` octets at `option` (8, or 16 to 40), of a query that came at
 * `now`, in seconds since 1970 modulo 2^32; and writes the one for the response.
 */
enum cookie_state cookie_check(const struct cookie_secrets *secrets, const struct client *client,
                               uint32_t now, const uint8_t *option, size_t length,
                               uint8_t reply[COOKIE_SIZE]);

#endif
