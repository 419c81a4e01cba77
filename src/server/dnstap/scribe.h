/*
 * The dnstap process itself: reads the rings of all workers in turn, and writes what is in them to
 * the reader's socket, or to the file. It says nothing: how it goes is in `rings`.
 *
 * A ring gives its room back once what was in it is written, so that a process that dies, or a
 * reader that goes away, costs no message; some may be written twice.
 */
#ifndef SORREL_SERVER_SCRIBE_H
#define SORREL_SERVER_SCRIBE_H

#include "server/dnstap/encoder.h"
#include "server/dnstap/rings.h"

struct scribe_orders {
    struct rings *rings;
    const char *path; /* of the socket; NULL: a file */
    int file;         /* -1: none */
    int channel;      /* to the supervisor: once that is closed, all that is left is written */
    struct encoder encoder;
};

/* Enters the sandbox, and ends with status 0. Needs libfstrm and libprotobuf-c; without them, it
 * fails. */
_Noreturn void scribe_run(const struct scribe_orders *orders);

#endif
