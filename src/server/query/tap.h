/*
 * The worker's side of dnstap: copies queries and responses, once they have been sent, into the
 * slot's ring (ring.h). It never waits and never asks the kernel for anything but the addresses of
 * a TCP connection; what finds no room is counted, and that is all.
 *
 * Whoever answers has a pointer to a tap, which is NULL unless dnstap is on.
 */
#ifndef SORREL_SERVER_TAP_H
#define SORREL_SERVER_TAP_H

#include "server/dnstap/ring.h"
#include "server/dnstap/tap_settings.h"
#include "server/host/address.h"
#include "server/query/batch.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct tap {
    const struct tap_settings *settings;
    struct ring *ring;
    const union address *server; /* that the socket is bound to */
    uint32_t until_sample;       /* queries up to the next that is told of, which is one of them */
    uint64_t received;           /* when; nanoseconds since 1970 */
};

/* A tap of the socket, or sockets, bound to `server` (NULL: to various addresses). */
void tap_init(struct tap *tap, const struct tap_settings *settings, struct ring *ring,
              const union address *server);

static inline uint64_t tap_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Queries have just arrived, which are about to be answered. */
static inline void tap_received(struct tap *tap)
{
    if (__builtin_expect(tap != NULL, 0))
        tap->received = tap_time();
}

/* The batch has been sent, and is not closed yet. */
void tap_batch(struct tap *tap, const struct batch *batch);

/* A query over the TCP connection `fd` has this response; length 0: none. */
void tap_stream(struct tap *tap, int fd, const uint8_t *query, size_t length,
                const uint8_t *response, size_t response_length);

#endif
