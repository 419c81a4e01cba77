/*
 * One group of sockets as the statistics tell it, in numbers: for explain.c and diagnosis.c.
 */
#ifndef SORREL_SERVER_EXPLAIN_GROUP_H
#define SORREL_SERVER_EXPLAIN_GROUP_H

#include "server/statistics/band.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { EXPLAIN_GROUP_WORKERS_MAX = 512, EXPLAIN_GROUP_CLIENTS_MAX = 16 };

struct explain_worker {
    unsigned worker;
    const char *state; /* empty: unknown */
    bool receives;     /* the steering counts it in */
    double queries;    /* in the interval, as are drops */
    double share;
    double drops;
    double queue, queue_max; /* octets */
    double all_drops;        /* since the start */
};

struct explain_group {
    const char *address;
    const char *policy;
    struct explain_worker workers[EXPLAIN_GROUP_WORKERS_MAX]; /* in bind order */
    size_t count;
    size_t receiving; /* workers that do */
    size_t busiest;   /* index of one that is */
    double imbalance; /* its queries by the mean of those that receive; 0 without queries */
    double seconds, ago;
    double queries, drops, all_drops;
    double flows;                                   /* 0: unknown */
    const char *clients[EXPLAIN_GROUP_CLIENTS_MAX]; /* the heaviest first */
    double heavy[EXPLAIN_GROUP_CLIENTS_MAX];        /* their shares */
    size_t client_count;
    double cpus;         /* that the daemon may use; 0: unknown */
    bool has_band;       /* chance has a part */
    struct band band;    /* expected */
    struct band extreme; /* what the estimates' errors leave possible */
};

/* Reads group `index` of the statistics, whose strings it refers to. */
void explain_group_read(struct explain_group *group, const json_t *stats, size_t index);

/* Is the share of this worker one that chance hardly explains? */
bool explain_group_is_odd(const struct explain_group *group, size_t worker);

#endif
