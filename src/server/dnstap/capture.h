/*
 * Capture files: Frame Streams in a file, for fstrm_dump(1), dnstap-read(1) and others to read.
 *
 *   START control frame | data frame | data frame | ... | STOP control frame
 *
 * Each frame has its length, 4 octets in network byte order, in front of it; a control frame has a
 * length of 0 in front of its own. A daemon goes on with the file of the one before: it takes the
 * STOP frame away, or what a sudden end has left of a last frame.
 */
#ifndef SORREL_SERVER_CAPTURE_H
#define SORREL_SERVER_CAPTURE_H

#include <stdbool.h>
#include <sys/types.h>

enum { CAPTURE_ERROR_MAX = 512 };

/* Opens the file, or makes it, to be written by capture_resume()'s caller. -1 with a sentence in
 * `error`, also if it has something else in it. */
int capture_open(const char *path, char error[CAPTURE_ERROR_MAX]);

/* Could it be opened or made? False with the same sentence in `error`. Nothing is made. */
bool capture_check(const char *path, char error[CAPTURE_ERROR_MAX]);

/* Is `path` another file than the open one, or none, by now? */
bool capture_was_moved(int fd, const char *path);

/* Takes the place for oneself, and whatever does not belong at the end of the file away. Returns
 * where to go on: 0 if there is no START frame yet. -1 with errno; EWOULDBLOCK: another process
 * writes the file. This may read all of it. */
off_t capture_resume(int fd);

/* Others may write it. */
void capture_leave(int fd);

#endif
