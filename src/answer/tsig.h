/*
 * Transaction signatures (RFC 8945): who has sent a query, and that the answer is ours.
 */
#ifndef SORREL_ANSWER_TSIG_H
#define SORREL_ANSWER_TSIG_H

#include "answer/hmac.h"
#include "message/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A secret that we share with someone, by the name that both know it by. */
struct tsig_key {
    struct name name;
    struct hmac_key hmac;
};

struct tsig_keys {
    const struct tsig_key *keys;
    size_t count;
};

/* What is wrong with the TSIG record of a query: the ERROR of the response's (§3). */
enum tsig_error {
    TSIG_NO_ERROR = 0,
    TSIG_BADSIG = 16,
    TSIG_BADKEY = 17,
    TSIG_BADTIME = 18,
    TSIG_BADTRUNC = 22,
};

/* A name in wire form. */
struct tsig_name {
    const uint8_t *octets;
    size_t length;
};

/* The exchange that a signed query begins. It must stay where it is, and what the
 * names point to outlives it. */
struct tsig {
    const struct tsig_key *key; /* NULL: none of ours, and `error` is BADKEY */
    struct tsig_name name;      /* of the key, ... */
    struct tsig_name algorithm; /* ... as the query has it, if the key is none of ours */
    enum tsig_error error;
    bool continued;       /* a message of the response is signed */
    uint64_t time;        /* seconds since 1970 that the query was signed at */
    uint16_t fudge;       /* seconds that it may be wrong by */
    uint16_t original_id;
    uint16_t mac_length;  /* of the message signed last, the query at first; 0: not known */
    uint8_t mac[HMAC_OCTETS_MAX];
    uint8_t unknown[NAME_OCTETS_MAX]; /* the name of a key that is none of ours */
};

/* The algorithm's name in wire form (§6). */
struct tsig_name tsig_algorithm(enum hmac_hash hash);

/* Reads the TSIG record at offset `at`, the last record of a query that came at `now` (seconds
 * since 1970), and checks it. False if it is malformed. */
bool tsig_read(struct tsig *tsig, const struct tsig_keys *keys, uint64_t now, const uint8_t *query,
               size_t length, size_t at);

/* Octets that tsig_sign() will add. */
size_t tsig_length(const struct tsig *tsig);

/* Adds the TSIG record to the next message of the response, `length` octets with room behind them.
 * Returns its new length. */
size_t tsig_sign(struct tsig *tsig, uint64_t now, uint8_t *wire, size_t length);

#endif
