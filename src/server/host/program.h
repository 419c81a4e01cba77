/*
 * The program that this process runs, as it was started: what is at its path, perhaps a newer
 * version meanwhile, can be started with the same arguments.
 */
#ifndef SORREL_SERVER_PROGRAM_H
#define SORREL_SERVER_PROGRAM_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

enum { PROGRAM_ERROR_MAX = PATH_MAX + 128 };

struct program {
    char path[PATH_MAX]; /* absolute, and not what symbolic links lead to; empty: unknown */
    char **arguments;    /* with --takeover, and a final NULL; the strings are main()'s */
};

/* Notes path and arguments; to be called before the working directory or the user changes. False:
 * no memory. */
bool program_note(struct program *program, int argc, char **argv, bool has_takeover);

void program_free(struct program *program);

/* Starts it with the rights that this process has. Its process id, or -1 with a sentence in
 * `error`. */
pid_t program_start(const struct program *program, char error[PROGRAM_ERROR_MAX]);

#endif
