/*
 * The channel between the supervisor and each of its children: a SOCK_SEQPACKET pair, one message a
 * packet, some with a descriptor. The two ends are one program, so structs travel as they are.
 *
 *   who -> whom              message             descriptor
 *   supervisor -> worker     CHANNEL_ADOPT       the sealed table
 *                            CHANNEL_LEAVE
 *                            CHANNEL_FINISH
 *                            CHANNEL_RETIRE
 *   worker -> supervisor     CHANNEL_SERVING
 *                            CHANNEL_ADOPTED
 *                            CHANNEL_LEFT
 *   builder -> supervisor    CHANNEL_DIAGNOSTIC
 *                            CHANNEL_ZONES
 *                            CHANNEL_PROGRESS
 *                            CHANNEL_BUILT       the sealed table, if one was made
 *
 * A message that is malformed, or comes from one who has no business to send it, ends the process
 * that sent it if the supervisor received it, and the receiver otherwise.
 */
#ifndef SORREL_SERVER_CHANNEL_H
#define SORREL_SERVER_CHANNEL_H

#include "message/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum channel_type {
    CHANNEL_ADOPT = 1,  /* serve this table from the next batch on */
    CHANNEL_FINISH,     /* answer what is queued, as far as time allows, then exit */
    CHANNEL_RETIRE,     /* nothing more will come: answer all, on connections too, then exit */
    CHANNEL_LEAVE,      /* another daemon's workers have the sockets: leave these to them, serve the
                           connections there are to their end, then exit */
    CHANNEL_SERVING,    /* the predecessor's batch is finished, the sockets are being read */
    CHANNEL_ADOPTED,    /* every answer from now on is from this table */
    CHANNEL_LEFT,       /* what was taken off the sockets is answered, and they are closed */
    CHANNEL_DIAGNOSTIC, /* something is wrong in a zone file */
    CHANNEL_ZONES,      /* what became of some zones; behind their diagnostics */
    CHANNEL_PROGRESS,   /* how far the builder is */
    CHANNEL_BUILT,      /* the outcome; the builder's last message */
};

struct channel_generation {
    uint64_t generation;
};

enum { CHANNEL_TEXT_MAX = 6000 };

struct channel_diagnostic {
    uint32_t severity; /* enum severity */
    uint32_t line;
    char text[CHANNEL_TEXT_MAX]; /* file name and sentence, each NUL-terminated */
};

struct channel_zones {
    uint32_t length;
    uint8_t items[CHANNEL_TEXT_MAX]; /* `length` octets: of each zone its enum build_outcome in one
                                        octet, and its name in wire form */
};

struct channel_progress {
    uint64_t expected; /* as in struct tally_count */
    uint64_t done;
    uint64_t records;
};

struct channel_built {
    uint8_t made;      /* a table comes with it */
    uint8_t unchanged; /* none does, for it would be the previous one */
    uint8_t renewed;   /* as in struct build_result */
    uint8_t reserved[5];
    uint64_t compiled;
    uint64_t copied;
    uint64_t kept;
    uint64_t failed;
};

struct channel_message {
    uint32_t type; /* enum channel_type */
    uint32_t reserved;
    union {
        struct channel_generation table; /* ADOPT, ADOPTED */
        struct channel_diagnostic diagnostic;
        struct channel_zones zones;
        struct channel_progress progress;
        struct channel_built built;
    };
};

enum channel_outcome {
    CHANNEL_MESSAGE,
    CHANNEL_NOTHING, /* none is waiting */
    CHANNEL_END,     /* the peer is gone */
    CHANNEL_MALFORMED,
};

/* A connected pair, close-on-exec; the first end does not block. 0, or -1 with errno. */
int channel_pair(int ends[2]);

/* Sends `message`, with `descriptor` unless that is -1. 0, or -1 with errno (EAGAIN: the peer does
 * not read). The caller keeps the descriptor. */
int channel_send(int channel, const struct channel_message *message, int descriptor);

/* Adds a zone to a message of that type; false if there is no room for it. */
bool channel_add_zone(struct channel_message *message, const struct name *origin, unsigned outcome);

/* Walks the zones of a message that was received: start with *position = 0. False at the end, or
 * where it is malformed: then `*position` is not the message's length. */
bool channel_next_zone(const struct channel_message *message, uint32_t *position,
                       struct name *origin, unsigned *outcome);

/* Fills in a diagnostic; what is too long is cut off. */
void channel_set_diagnostic(struct channel_message *message, uint32_t severity, uint32_t line,
                            const char *file, const char *sentence);

static inline const char *channel_diagnostic_file(const struct channel_message *message)
{
    return message->diagnostic.text;
}

/* Of a diagnostic that was received or set. */
const char *channel_diagnostic_sentence(const struct channel_message *message);

/* Receives one message without waiting. `descriptor` becomes the one that came with it, owned by
 * the caller, or -1. Unless CHANNEL_MESSAGE is returned nothing is to be closed. */
enum channel_outcome channel_receive(int channel, struct channel_message *message, int *descriptor);

#endif
