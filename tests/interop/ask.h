/*
 * Sending lists of queries to one server and collecting the replies: UDP with a window in flight
 * and retries, TCP pipelined over one connection.
 */
#ifndef SORREL_INTEROP_ASK_H
#define SORREL_INTEROP_ASK_H

#include "server.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct query {
    uint8_t *wire;      /* its ID is its place in the list */
    uint16_t length;
    uint16_t reply_max; /* more octets than this must not come back */
    uint16_t qtype, qclass;
    struct name qname;  /* lower-cased */
    bool tcp, edns, dnssec_ok;
    const char *title;  /* of an odd message; NULL for an ordinary question */
};

struct query_list {
    struct query *items;
    size_t count, room;
};

struct reply {
    uint8_t *wire; /* NULL: silence */
    uint16_t length;
};

struct patience {
    int milliseconds; /* without any reply, before what is in flight is sent again */
    int attempts;
    size_t window;    /* how many in flight at once, at most ASK_WINDOW_MAX */
};

/* 64 small queries fit any receive buffer; more gained nothing with named, the slowest. */
enum { ASK_WINDOW_MAX = 64 };

/* Set by SIGINT and SIGTERM: everything that waits returns early. */
extern volatile sig_atomic_t ask_interrupted;

/* Asks all of `queries` (at most 65536); `replies` has as many. Returns false if the server
 * died. */
bool ask_all(struct server *server, const struct query_list *queries, struct patience patience,
             struct reply *replies);

void ask_free_replies(struct reply *replies, size_t count);

/* One exchange over UDP; the length of the reply, or 0 after `milliseconds`. */
size_t ask_once(const struct server *server, const uint8_t *query, size_t length, uint8_t *reply,
                size_t reply_max, int milliseconds);

/* Does the server answer at all? Does it answer for this zone with authority? */
bool ask_is_up(const struct server *server, const struct zone *zone);
bool ask_is_served(const struct server *server, const struct zone *zone);

#endif
