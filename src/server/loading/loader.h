/*
 * The supervisor's side of a builder: starts it, tells the operator what it reports, and takes the
 * table it leaves.
 */
#ifndef SORREL_SERVER_LOADER_H
#define SORREL_SERVER_LOADER_H

#include "server/host/channel.h"
#include "server/loading/builder.h"
#include "server/loading/ledger.h"
#include "table/seal.h"
#include "zone/pace.h"

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

struct loader {
    struct ev_loop *loop;
    struct ledger *ledger; /* what the builder finds goes there */
    pid_t pid;             /* 0: no builder is running */
    ev_io channel;
    struct pace pace;    /* of what the log is told */
    bool on_terminal;    /* the log is one: a line that is rewritten again and again */
    bool has_result;
    struct channel_built result;
    int fd; /* the builder's table, or -1 */
};

/* A validated table with its file, owned by the caller. */
struct loader_table {
    struct sealed_table sealed;
    int fd;
    struct channel_built result;
};

void loader_init(struct loader *loader, struct ev_loop *loop, struct ledger *ledger);

static inline bool loader_is_running(const struct loader *loader)
{
    return loader->pid != 0;
}

/* False if no process could be forked, which has been logged. */
bool loader_start(struct loader *loader, const struct builder_order *order);

enum loader_outcome {
    LOADER_NOTHING,   /* that can be used; the reason has been logged */
    LOADER_UNCHANGED, /* the previous table is as good as new; only `result` of `table` is filled */
    LOADER_TABLE,
};

/* The builder has exited with `status` as of waitpid(2): what it has left. */
enum loader_outcome loader_finish(struct loader *loader, int status,
                                  struct loader_table *table);

/* Unmaps and closes. */
void loader_discard(struct loader_table *table);

/* Kills the builder; it is still to be waited for. */
void loader_stop(struct loader *loader);

/* Zones and records of a table, for the log. */
void loader_count(const struct table *table, unsigned long *zones, unsigned long long *records);

/* Logs a diagnostic as FILE:LINE: reason. */
void loader_log_diagnostic(unsigned severity, const char *file, unsigned line,
                           const char *sentence);

#endif
