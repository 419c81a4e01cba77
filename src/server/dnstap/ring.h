/*
 * What one worker tells the dnstap process: a ring of records, in memory that the two share.
 *
 *   octets that were ever put (head) and taken (tail), modulo RING_OCTETS their places:
 *
 *       tail                          head
 *        |                             |
 *   -----[ record | record | filler ][ record ]--------
 *                                    ^ end of the ring
 *
 * There is one writer, which never waits: it copies a record and moves the head behind it, or finds
 * no room and copies nothing. So a writer that dies leaves whole records only, and its successor
 * goes on behind them. There is one reader; what it has read makes room when it commits, so that
 * one that dies before has not taken anything.
 *
 * Each end lives with whatever the other may have written there: the writer stays in the ring, and
 * the reader takes a record that cannot be one for the end of what it can use.
 */
#ifndef SORREL_SERVER_RING_H
#define SORREL_SERVER_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* Some 12,000 queries with their responses: 40 ms of the most that a worker answers. The reader
     * looks every 32 ms at least (scribe.c). */
    RING_OCTETS = 4 << 20,
    RING_ALIGNMENT = 8,
    RING_PAGE = 4096,
};

/* A query and what became of it; its octets, then those of its response, are behind it. Host byte
 * order. Times in nanoseconds since 1970. */
struct ring_record {
    uint32_t size;            /* in the ring, with all that is behind it; set by ring_put() */
    uint16_t query_length;    /* 0: is not told of */
    uint16_t response_length; /* 0: there is none, or it is not told of; both 0: a filler */
    uint64_t query_time;
    uint64_t response_time;
    uint16_t client_port;
    uint16_t server_port;
    uint8_t transport;      /* enum transport */
    uint8_t address_length; /* of the two addresses: 4 or 16 */
    uint8_t server_known;   /* 0: `server` is not filled in */
    uint8_t reserved;
    uint8_t client[16];
    uint8_t server[16];
};

struct ring {
    _Alignas(64) _Atomic uint64_t head;
    _Atomic uint64_t dropped_slow; /* messages, by the writer; for rings.h */
    _Atomic uint64_t dropped_away;
    _Alignas(64) _Atomic uint64_t tail;
    _Alignas(RING_PAGE) uint8_t octets[RING_OCTETS];
};

/* Copies the record, query_length octets of `query` and response_length of `response`. False: there
 * is no room now. */
bool ring_put(struct ring *ring, const struct ring_record *record, const uint8_t *query,
              const uint8_t *response);

/* How far the reader is. */
struct ring_reader {
    struct ring *ring;
    uint64_t at;
};

enum ring_outcome {
    RING_NOTHING, /* all has been read */
    RING_RECORD,
    RING_DAMAGED, /* what follows is no record; all there is has been passed over */
};

/* Goes on behind what was committed. */
void ring_start(struct ring_reader *reader, struct ring *ring);

/* The next record, and its octets, which stay as they are until the commit. */
enum ring_outcome ring_read(struct ring_reader *reader, struct ring_record *record,
                            const uint8_t **octets);

/* What has been read is done with. */
void ring_commit(const struct ring_reader *reader);

#endif
