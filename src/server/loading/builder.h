/*
 * The builder: a child process that reads the zone files and leaves a zone table. A zone file that
 * makes it crash costs one reload.
 */
#ifndef SORREL_SERVER_BUILDER_H
#define SORREL_SERVER_BUILDER_H

#include "table/table.h"
#include "zone/build.h"
#include "zone/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct builder_order {
    const struct source_argument *zones; /* directories are read again each time */
    size_t zone_count;
    const char *const *only;      /* as in struct build_request */
    const struct table *previous; /* or NULL */
    bool sparing;                 /* as in struct build_request */
    bool urgent;                  /* nobody is served until it is done; else queries come first */
    uint64_t seed;
    uint64_t generation;
};

/* Who is told, as in struct build_request. */
struct builder_sinks {
    /* Told which files there are, before any is read; or NULL. */
    void (*listed)(void *closure, const struct source_list *list);
    diagnostic_sink *diagnostic;
    build_zone_sink *zone; /* or NULL */
    tally_sink *progress;  /* or NULL */
    void *closure;
};

/* Does the work in this very process. False if an argument is wrong or no table could be made, told
 * to the sink; otherwise the result's descriptor, if any, is the caller's. */
bool builder_build(const struct builder_order *order, const struct builder_sinks *sinks,
                   struct build_result *result);

/* To be told which files there are: from here on there is nothing but the zones, for this process.
 * Which files these are is known, what is in them is not yet read. */
void builder_confine(void *closure, const struct source_list *list);

/* The folders that the arguments' zone files are in now, as source_list_folders() gives them; what
 * is wrong with an argument is not told. */
char **builder_folders(const struct source_argument *zones, size_t zone_count, size_t *count);

/* Does it in a child, which sends CHANNEL_DIAGNOSTIC, CHANNEL_ZONES, CHANNEL_PROGRESS some times a
 * second, and a last CHANNEL_BUILT over `channel` and exits. The child's process id, or -1 with
 * errno. */
pid_t builder_start(const struct builder_order *order, int *channel);

#endif
