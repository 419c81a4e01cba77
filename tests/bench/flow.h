/*
 * One flow of a load: a UDP socket with its own source port, and the queries that are under way
 * from it. Each has a slot, which its ID names: so an answer is matched to its query by port and
 * ID, and its question is compared with what was asked.
 */
#ifndef SORREL_BENCH_FLOW_H
#define SORREL_BENCH_FLOW_H

#include "questions.h"

#include <stdint.h>
#include <sys/socket.h>

/* FLOW_WIDTH: sent or received by one system call. FLOW_WINDOW_MAX: slots; divides 65536. */
enum { FLOW_WIDTH = 64, FLOW_WINDOW_MAX = 1024, FLOW_REPLY_MAX = 4096 };

struct flow_slot {
    uint64_t since; /* ns; 0: free */
    uint16_t id;
    uint16_t length;
    uint8_t query[QUESTIONS_OCTETS_MAX];
};

struct flow {
    int socket;
    unsigned window; /* slots in use: a power of two */
    unsigned free_count;
    uint16_t free[FLOW_WINDOW_MAX];
    struct flow_slot slot[FLOW_WINDOW_MAX];
};

/* What flows count, all of them together. */
struct flow_counts {
    uint64_t sent;
    uint64_t answered; /* rightly matched */
    uint64_t lost;     /* not answered in time */
    uint64_t strange;  /* replies to nothing that is under way, or to another question */
    uint64_t refused;  /* told that the port is closed */
    uint64_t octets;   /* of replies */
    uint64_t truncated;
    uint64_t rcode[16];
};

/* Called with each answered query: when it was due or sent, and `now`. */
typedef void flow_answered(void *context, uint64_t since, uint64_t now);

/* The monotonic clock in ns. */
uint64_t flow_clock(void);

/* Opens a socket to `port` of 127.0.0.1; false, errno set, if that fails. */
bool flow_open(struct flow *flow, uint16_t port, unsigned window);

void flow_close(struct flow *flow);

/* Puts query `number` into a free slot (there must be one), to be sent by flow_send(). */
struct flow_slot *flow_prepare(struct flow *flow, const struct questions *questions,
                               uint32_t number, uint64_t since);

/* Sends `count` <= FLOW_WIDTH prepared queries. */
void flow_send(struct flow *flow, struct flow_slot *const *slots, unsigned count,
               struct flow_counts *counts);

/* Takes what has arrived, up to FLOW_WIDTH; returns how many datagrams that was. */
unsigned flow_receive(struct flow *flow, struct flow_counts *counts, flow_answered *answered,
                      void *context);

/* Counts as lost, and forgets, what was sent before `then`. */
void flow_expire(struct flow *flow, uint64_t then, struct flow_counts *counts);

#endif
