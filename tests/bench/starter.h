/*
 * Servers started with a set of zones, as often as is wanted: how long that takes, and what memory.
 */
#ifndef SORREL_BENCH_STARTER_H
#define SORREL_BENCH_STARTER_H

#include "report.h"
#include "server.h"
#include "workload.h"

enum { STARTER_SERVERS_MAX = 8 };

struct starter {
    struct report *report;
    const struct zoneset *set;
    unsigned workers;
    unsigned starts; /* of each */
    bool with_table; /* and as many of sorreld from a compiled table */
    int server_cpu;  /* where they run once they have loaded; they may load on all */
    size_t count;
    const struct server_kind *const *kinds;
    char directory[160]; /* zones are in zones/, each server's things in a folder of its name */
    char zone_directory[192];
    uint8_t probe_query[QUESTIONS_OCTETS_MAX];
    struct server_probe probe;
    struct server servers[STARTER_SERVERS_MAX];
    struct report_start starts_of[STARTER_SERVERS_MAX];
    struct report_start kept; /* sorreld from its compiled table */
};

/* Makes a directory for the set below `scratch`, and writes the zones. `questions`: whoever answers
 * the last of them with `rcode` has loaded all. */
void starter_open(struct starter *starter, const char *scratch, const struct questions *questions,
                  unsigned rcode);

/* Starts them all. Those that can run then do, on their CPU; of the others there is a note. */
void starter_run(struct starter *starter);

/* Notes what memory they take now. */
void starter_weigh(struct starter *starter);

/* Reports starts and memory. */
void starter_report(const struct starter *starter);

/* Stops them all, and removes the directory. */
void starter_close(struct starter *starter);

#endif
