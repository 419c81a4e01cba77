/*
 * What --state DIR is about: the table last served is kept in a file, so that the next start need
 * not read zone files that have not changed. The supervisor's side, and the child that writes.
 *
 * Answers never wait for it: the file is written by a child process of low priority, at most one at
 * a time, and whatever fails costs a line in the log and nothing else. The child looks again at
 * files that the table names, which is the builder's work: so it is confined like the builder, and
 * may write in DIR besides.
 */
#ifndef SORREL_SERVER_KEEPER_H
#define SORREL_SERVER_KEEPER_H

#include "server/configuration/settings.h"
#include "server/loading/loader.h"

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

struct keeper {
    struct ev_loop *loop;
    const struct settings *settings; /* which zones there are, when it writes */
    const char *directory;           /* NULL: nothing is kept */
    char *path;
    const struct loader_table *table; /* to be kept */
    pid_t pid;                        /* of the child that writes; 0: none */
    bool stopped;                     /* nothing is written any more */
    bool again;                       /* another table is to be written behind this one */
    int fault;                        /* why the last could not be, an errno value; 0: it could */
    ev_timer settle; /* until the time stamps of files just changed can be relied on, or until it is
                        tried again */
};

/* The settings outlive it; `table` is where the one that is served is found, whichever it is. */
void keeper_init(struct keeper *keeper, struct ev_loop *loop, const struct settings *settings,
                 const struct loader_table *table);

/* Can a table be kept in `directory` (NULL: none is)? False, as it would be logged once it is
 * tried. */
bool keeper_check(const char *directory);

/* The table kept by an earlier start, validated; false if there is none that can be used, logged
 * unless there is none at all. */
bool keeper_read(const struct keeper *keeper, struct loader_table *table);

/* Keeps the table that is served now. */
void keeper_write(struct keeper *keeper);

static inline bool keeper_is_running(const struct keeper *keeper)
{
    return keeper->pid != 0;
}

/* The child has exited with `status` as of waitpid(2). */
void keeper_finish(struct keeper *keeper, int status);

/* Nothing more is kept but what is being written. */
void keeper_end(struct keeper *keeper);

/* Likewise, and kills the child, which is still to be waited for. What was kept before stays. */
void keeper_stop(struct keeper *keeper);

void keeper_close(struct keeper *keeper);

#endif
