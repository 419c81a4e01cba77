/*
 * Response rate limiting: how many responses of a kind clients of one address prefix get over UDP,
 * where senders can lie about their address, so that nobody is flooded with our answers.
 *
 * One table for all workers, in memory that they share, so that the limits are those of the whole
 * server however the kernel spreads the queries. It has no locks: an account is a 64-bit time,
 * changed by compare-and-swap, so a worker may die at any instant and leaves nothing behind.
 *
 * An account is the time up to which its responses are paid for. Each response moves it on by
 * 1/rate seconds, and is sent unless that would be too far ahead of now: by a second, so that a
 * client may have a second's responses at once. Whoever has been refused another second's worth
 * has had these in advance: until `window` seconds after the last refusal the account must not be
 * ahead at all. A flood thus gets what the rate
 * gives for the time it lasts, and neither more nor, as with limiters that count what they drop,
 * nothing.
 *
 * Accounts are found by a keyed hash of prefix and kind, which is compared in full: who shares a
 * place in the table does not share an account. Of a full set the account idle longest makes room.
 */
#ifndef SORREL_SERVER_RRL_H
#define SORREL_SERVER_RRL_H

#include "answer/prefix.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kinds of responses that have accounts of their own. */
enum rrl_class {
    RRL_RESPONSES, /* with data */
    RRL_NODATA,
    RRL_NXDOMAINS,
    RRL_REFERRALS,
    RRL_ERRORS, /* REFUSED, FORMERR, ... */
    RRL_ALL,    /* all of them together */
    RRL_CLASSES,
};

enum {
    RRL_RATE_MAX = 1000000,
    RRL_SLIP_MAX = 10,
    RRL_WINDOW_MAX = 3600,
    RRL_TABLE_MIN = 1000,
    RRL_TABLE_MAX = 10000000,
    RRL_IPV6_PREFIX_MAX = 64,
};

struct rrl_settings {
    unsigned per_second[RRL_CLASSES]; /* 0: not limited */
    unsigned window;                  /* seconds: 1-RRL_WINDOW_MAX */
    unsigned slip; /* every so many'th response that is held back is a truncated one; 0: none */
    unsigned ipv4_prefix; /* clients that are one: 1-32 ... */
    unsigned ipv6_prefix; /* ... and 1-RRL_IPV6_PREFIX_MAX bits */
    bool per_name;        /* an account for each name that is answered */
    unsigned table_size;  /* accounts that there is room for */
    struct prefix_list exempt;
};

enum rrl_verdict { RRL_SEND, RRL_DROP, RRL_SLIP };

struct rrl;

/* The table, in shared memory of which only what is used is taken: to be made before the workers
 * are forked. `settings` must outlive it. NULL with errno. */
struct rrl *rrl_create(const struct rrl_settings *settings);

void rrl_destroy(struct rrl *rrl);

/* Where it is, as mappings.h knows it; NULL: there is none. */
const void *rrl_memory(const struct rrl *rrl);

/* The accounts that a response is for, by their keys: that of its class, and that of all together.
 * 0: none. */
struct rrl_claim {
    uint64_t class_key;
    uint64_t all_key;
    enum rrl_class class;
};

/* Names the accounts of a response of that class to `client`, and asks for the memory they are in.
 * `source` tells names apart, and is looked at with per_name only. False if there is no limit. */
bool rrl_claim(const struct rrl *rrl, const struct client *client, enum rrl_class class,
               uint64_t source, struct rrl_claim *claim);

/* Such a response is about to be sent. `now` in nanoseconds of any clock that does not go back,
 * the same in all processes; more than 0. */
enum rrl_verdict rrl_settle(struct rrl *rrl, const struct client *client,
                            const struct rrl_claim *claim, uint64_t now);

/* --- by the supervisor --------------------------------------------------------------- */

/* An account that has begun to be limited. */
struct rrl_event {
    struct client client; /* its address cut to the prefix */
    unsigned bits;        /* of it */
    enum rrl_class class;
    uint64_t key;   /* of the account ... */
    uint32_t place; /* ... and where it is */
};

/* Where the supervisor has read up to; all 0 at first. */
struct rrl_reader {
    uint64_t next;
};

/* The next event; false if there is none. Adds those that were overwritten unread to *missed. */
bool rrl_next_event(struct rrl *rrl, struct rrl_reader *reader, struct rrl_event *event,
                    uint64_t *missed);

/* Has the account been within its limit for the last `window` seconds? If so, *held_back is how
 * many responses were not sent. */
bool rrl_has_ended(const struct rrl *rrl, const struct rrl_event *event, uint64_t now,
                   uint32_t *held_back);

#endif
