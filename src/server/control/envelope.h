/*
 * Messages of the control protocol on a stream socket, blocking or not, in any pieces.
 */
#ifndef SORREL_SERVER_ENVELOPE_H
#define SORREL_SERVER_ENVELOPE_H

#include "server/control/protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel passes no more descriptors at once (SCM_MAX_FD). */
enum { ENVELOPE_DESCRIPTORS_MAX = 253 };

enum envelope_outcome {
    ENVELOPE_WHOLE,     /* all of it was read, or written */
    ENVELOPE_PARTIAL,   /* the socket would block: call again */
    ENVELOPE_END,       /* the peer has closed, between two messages */
    ENVELOPE_MALFORMED, /* no message, too long, cut off, or unwanted descriptors */
    ENVELOPE_BROKEN,    /* errno says why */
};

/* A message on its way in. Set up by envelope_reader_start(), emptied by _clear(). */
struct envelope_reader {
    struct protocol_header header;
    uint8_t *payload; /* header.length octets and a NUL; NULL until the header is there */
    size_t got;       /* octets of header and payload */
    size_t limit;     /* for the payload */
    bool passing;     /* descriptors may come with it */
    size_t descriptor_count;
    int descriptors[ENVELOPE_DESCRIPTORS_MAX];
};

void envelope_reader_start(struct envelope_reader *reader, size_t limit, bool passing);

/* Reads on; never beyond the end of this message. */
enum envelope_outcome envelope_read(struct envelope_reader *reader, int socket);

/* Frees the payload and closes the descriptors that nobody took (set them to -1 to take them). The
 * reader is ready for another. */
void envelope_reader_clear(struct envelope_reader *reader);

/* A message on its way out; the descriptors and the payload are the caller's. */
struct envelope_writer {
    struct protocol_header header;
    const void *payload;
    size_t sent; /* octets of header and payload */
    const int *descriptors;
    size_t descriptor_count; /* at most ENVELOPE_DESCRIPTORS_MAX */
};

void envelope_writer_start(struct envelope_writer *writer, enum protocol_type type,
                           const void *payload, size_t length);

/* Writes on. A peer that is gone is ENVELOPE_BROKEN with EPIPE, never a signal. */
enum envelope_outcome envelope_write(struct envelope_writer *writer, int socket);

/* The strings of a request's payload: an array that points into it and ends in NULL, to be freed by
 * the caller. NULL if the last one is not ended, or with errno set to ENOMEM. */
char **envelope_strings(const struct envelope_reader *reader, size_t *count);

#endif
