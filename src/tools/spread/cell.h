/*
 * What sorrel-spread finds out: for each policy and number of flows a cell.
 */
#ifndef SORREL_TOOLS_SPREAD_CELL_H
#define SORREL_TOOLS_SPREAD_CELL_H

#include "server/statistics/band.h"
#include "tools/spread/policy.h"
#include "tools/spread/traffic.h"
#include "tools/spread/usage.h"

struct cell {
    const struct policy *policy;
    unsigned flows;
    unsigned workers;
    struct traffic_tally tally;
    struct usage usage;
};

/* A policy that was not to be had, and why. */
struct cell_skipped {
    const struct policy *policy;
    char reason[DAEMON_ERROR_MAX];
};

enum { CELL_POLICIES_MAX = 8 };

struct cells {
    bool tcp;
    uint64_t queries;            /* that were to be sent, for each cell */
    char server[PATH_MAX + 64];  /* who was asked */
    const struct roster *roster; /* NULL: workers are told apart by number */
    struct cell *items;
    size_t count;
    struct cell_skipped skipped[CELL_POLICIES_MAX];
    size_t skipped_count;
};

/* What people want to see of a cell. What is not known is negative. */
struct figures {
    double busiest; /* the busiest worker's answers / the mean of all */
    bool has_band;
    double low, typical, high; /* the same, by chance (band.h) */
    double even;               /* statistics_even() */
    double rate;               /* answers a second */
    double median, p99;        /* microseconds */
    double cpu;                /* CPU time of the workers for each answer, microseconds */
    double switches;           /* their context switches for each answer */
    double empty;              /* their wake-ups for nothing, likewise */
};

struct figures cell_figures(const struct cells *cells, const struct cell *cell);

/* The share of all answers that worker `worker` gave, 0 to 1. */
double cell_share(const struct cell *cell, unsigned worker);

/* A further cell, all zero, at the end; valid until the next call. NULL: no memory. */
struct cell *cells_add(struct cells *cells);

void cells_free(struct cells *cells);

#endif
