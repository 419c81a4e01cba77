/*
 * Where the dnstap process writes: Frame Streams to the Unix socket of a reader that listens, with
 * the handshake of both directions (READY, ACCEPT, START; at the end STOP, FINISH), or to a file.
 * What libfstrm writes goes through functions of this file: they neither lose count of a write that
 * was cut short nor wait for a reader longer than the daemon runs.
 */
#ifndef SORREL_SERVER_OUTLET_H
#define SORREL_SERVER_OUTLET_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

enum { OUTLET_FRAMES_MAX = 128 /* that libfstrm writes at once */ };

struct outlet {
    const char *path; /* of the socket; NULL: a file */
    int fd;           /* of the file, or of the connection; -1: none */
    int channel;      /* the daemon goes on for as long as this is open */
    bool finishing;   /* it is not */
    bool has_start;   /* the file has its START frame, which need not be written */
    off_t end;        /* of what the file has for good */
    struct fstrm_writer *writer;
};

/* One of `path` and `file` (-1: none). */
void outlet_init(struct outlet *outlet, const char *path, int file, int channel);

/* Connects and shakes hands, or finds the end of the file. False with errno. */
bool outlet_open(struct outlet *outlet);

/* Writes 1 to OUTLET_FRAMES_MAX frames: all, or, as far as anyone can tell, none. Waits for the
 * reader. False with errno: the outlet is closed. */
bool outlet_write(struct outlet *outlet, const struct iovec *frames, int count);

/* Of an open outlet, what hangs up (POLLRDHUP of poll(2)) when the reader is gone; -1: a file. */
int outlet_connection(const struct outlet *outlet);

/* Gives up an outlet whose reader is gone, as it is. */
void outlet_abandon(struct outlet *outlet);

/* Ends the stream. */
void outlet_close(struct outlet *outlet);

#endif
