/*
 * Master files -> a sealed zone table. Runs in the builder process and in sorrel-checkzone;
 * allocates freely and leaves large amounts of memory to be freed by exit.
 */
#ifndef SORREL_ZONE_BUILD_H
#define SORREL_ZONE_BUILD_H

#include "table/table.h"
#include "zone/diagnostic.h"
#include "zone/source.h"
#include "zone/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum build_outcome {
    BUILD_COMPILED, /* read from its files */
    BUILD_COPIED,   /* unchanged: taken over from the previous table */
    BUILD_KEPT,     /* failed to load, and keeps its previous version */
    BUILD_FAILED,   /* failed to load, and has none */
};

/* Called for each zone that was looked at, behind its last diagnostic. */
typedef void build_zone_sink(void *closure, const struct name *origin, enum build_outcome outcome);

struct build_request {
    const struct source_list *sources;
    const struct table *previous; /* the table now served, or NULL. A zone whose files are
                                     unchanged is copied from it; one that fails to load keeps what
                                     it has there */
    bool force;                   /* compile again even what seems unchanged */
    const char *const *only;      /* NULL, or names as name_to_text() writes them, then NULL: only
                                     these zones are looked at, and all others are as they are in
                                     the previous table */
    bool sparing;                 /* if the table would have the same zones as the previous one, all
                                     unchanged, make none */
    uint64_t seed;                /* of the hashes; ignored if there is a previous table, whose seed
                                     is kept */
    uint64_t generation;
    diagnostic_sink *sink;
    build_zone_sink *zone_sink; /* or NULL */
    tally_sink *progress;       /* or NULL */
    void *closure;
};

struct build_result {
    int fd;           /* a sealed memfd, owned by the caller; -1 if no table was made */
    bool unchanged;   /* the previous table is what would have been made (sparing) */
    bool renewed;     /* then: some files could only be recognised by their content */
    size_t compiled;  /* zones read from their files */
    size_t copied;    /* unchanged zones taken over from the previous table */
    size_t kept;      /* zones that failed to load and keep their previous version */
    size_t failed;    /* zones that failed to load and have none */
    uint64_t length;  /* octets of the new table */
};

/*
 * Makes a table of all the zones in `sources` that can be loaded. Every zone that cannot has been
 * reported to the sink by at least one error. Returns true if a table was made (result->fd >= 0),
 * even one without some (or any) zones, or none is needed (result->unchanged); false if that was
 * impossible (no memory, memfd refused), reported to the sink.
 */
bool build_table(const struct build_request *request, struct build_result *result);

#endif
