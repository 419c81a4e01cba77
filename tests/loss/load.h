/*
 * The generator of the loss tests: numbered queries at a fixed rate that does not wait for answers
 * (an open loop), each sent once, each answer matched to its query.
 *
 * A query's number n is told by the socket the answer arrives on (n mod flows) and the message ID
 * (a permutation of n / flows, modulo 65536). One thread of its own sends what is due and collects
 * what has arrived, every LOAD_TICK_US; the kernel's buffers hold the answers in between. It says
 * of itself whether it kept its rate and lost nothing; if not, its counts prove nothing.
 */
#ifndef SORREL_LOSS_LOAD_H
#define SORREL_LOSS_LOAD_H

#include <stdbool.h>
#include <stdint.h>

enum { LOAD_TICK_US = 250, LOAD_FLOWS_MAX = 512, LOAD_LOST_TOLD = 64 };

struct load_settings {
    uint16_t port;      /* of 127.0.0.1 */
    unsigned flows;     /* sockets, each with its own source port */
    unsigned rate;      /* queries a second */
    uint64_t queries;   /* at least so many, and more until the event is over */
    uint32_t names;     /* of the zone */
    uint32_t version;   /* of the zone, until load_expect() says otherwise */
    unsigned shortfall; /* percent of its rate that the generator may miss; 0: 5 */
};

struct load_tally {
    uint64_t sent;
    uint64_t answered; /* rightly, counting each query once */
    uint64_t lost;     /* sent, but never answered, rightly or not */
    uint64_t duplicates;
    uint64_t wrong;     /* all of the next four, and those that are not an answer to the query */
    uint64_t mixed;     /* records of two versions */
    uint64_t stale;     /* from a version that was gone when the query was sent */
    uint64_t premature; /* from a version that there had not been yet */
    uint64_t strange;   /* to no query of ours */
    uint64_t refused;   /* sends and receipts told that the port was closed */

    uint32_t p99_us;
    uint32_t slowest_us;
    uint32_t gap_us;        /* longest time without an answer while queries were under way */
    uint32_t first_lost_us; /* when the first and last lost queries were sent */
    uint32_t last_lost_us;
    unsigned lost_flows;              /* flows that lost queries */
    uint32_t lost_us[LOAD_LOST_TOLD]; /* when the first of them were sent */

    /* the generator's own shortfalls */
    unsigned rate;      /* that was reached */
    uint64_t own_drops; /* answers that found our buffers full */
    uint64_t congested; /* sends the kernel put off */
    bool exhausted;     /* ran out of numbers before the event was over */
    bool is_void;       /* the above was too much for the counts to mean anything */
};

struct load;

/* Opens the sockets and starts to send. Ends the program if the sockets cannot be had. */
struct load *load_start(const struct load_settings *settings);

uint64_t load_sent(const struct load *load);

/* Microseconds since the start, by which the tally tells times. */
uint32_t load_clock(const struct load *load);

/* Returns once `queries` have been sent in all, or no more will be. */
void load_wait_sent(const struct load *load, uint64_t queries);

/* What versions an answer may be from: at least `oldest` if its query was sent after this call, at
 * most `newest`. */
void load_expect(struct load *load, uint32_t oldest, uint32_t newest);

/* The newest version that an answer has come from. */
uint32_t load_newest_seen(const struct load *load);

/* Has all been sent? So it is without load_event_over() where numbers run out. */
bool load_has_ended(const struct load *load);

/* The event is over: a quarter of settings.queries more will be sent, then the last answers are
 * awaited. */
void load_event_over(struct load *load);

/* Waits for the end, counts, and frees all. */
void load_finish(struct load *load, struct load_tally *tally);

#endif
