/*
 * What is sent to a server, and what came of it: datagrams.h does it over UDP, streams.h over TCP.
 *
 * The loop is closed: a limited number of queries is under way, and the next one is sent when one
 * of them is answered. So no queue overflows, whatever the speed of either side, and each query is
 * answered by the worker that the kernel has given it to.
 */
#ifndef SORREL_TOOLS_SPREAD_TRAFFIC_H
#define SORREL_TOOLS_SPREAD_TRAFFIC_H

#include "server/host/address.h"
#include "tools/spread/latency.h"
#include "tools/spread/packet.h"
#include "tools/spread/roster.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TRAFFIC_WINDOW = 64,        /* queries under way at once */
    TRAFFIC_PATIENCE_MS = 3000, /* a query that is not answered in this time is lost */
    TRAFFIC_FLOWS_MAX = 16384,  /* the descriptors of one process, and the ports of one address */
    TRAFFIC_ERROR_MAX = 256,
};

struct traffic {
    const union address *server;
    const struct packet *question;
    struct roster *roster; /* learns */
    unsigned flows;        /* source ports, or TCP connections */
    uint64_t queries;      /* in all, spread evenly over the flows */
    double seconds;        /* after so long nothing more is sent */
    bool by_cpu;           /* each flow is sent from a CPU of its own, as from a network card
                              that has a queue for each */
    void (*progress)(void *closure, double part); /* called now and then; 1 is all */
    void *closure;
};

struct traffic_tally {
    uint64_t sent;
    uint64_t answered;
    uint64_t lost;                /* not answered in time */
    uint64_t nameless;            /* answers without NSID */
    uint64_t refused;             /* answers with an RCODE other than NOERROR and NXDOMAIN */
    uint64_t workers[ROSTER_MAX]; /* answers of each */
    double seconds;               /* from the first query to the last answer */
    struct latency latency;
};

/* Counts a reply to a query that was sent `nanoseconds` ago. */
void traffic_count(const struct traffic *traffic, struct traffic_tally *tally,
                   const struct packet_reply *reply, uint64_t nanoseconds);

/* Is nothing more to be sent `now`, if the first query was sent at `started`? */
bool traffic_is_time_up(const struct traffic *traffic, uint64_t started, uint64_t now);

/* Calls progress(). */
void traffic_tell(const struct traffic *traffic, const struct traffic_tally *tally,
                  uint64_t started);

/* CLOCK_MONOTONIC, in nanoseconds. */
uint64_t traffic_clock(void);

#endif
