/*
 * What has lately come to each listening address: queries and drops by worker, how many different
 * flows, and the clients that send most. The supervisor looks every second and remembers ten
 * seconds; those in which nothing came are not remembered, so that what is there explains the last
 * burst, however long ago it was. Part of the supervisor.
 */
#ifndef SORREL_SERVER_INTERVAL_H
#define SORREL_SERVER_INTERVAL_H

#include <ev.h>
#include <jansson.h>
#include <stddef.h>

struct supervisor;
struct interval_second;

enum { INTERVAL_SECONDS = 10 };

struct interval {
    ev_timer tick;
    double looked;                                     /* when; by CLOCK_MONOTONIC */
    struct interval_second *seconds[INTERVAL_SECONDS]; /* the oldest first */
    size_t count;
};

void interval_start(struct supervisor *supervisor);

/* Looks now, so that the document knows of the last moment. */
void interval_look(struct supervisor *supervisor);

/* From now on queries are spread in another way: what came before does not explain what comes. */
void interval_forget(struct supervisor *supervisor);

/* The document's "interval"; NULL: nothing has come yet. */
json_t *interval_json(const struct supervisor *supervisor);

void interval_stop(struct supervisor *supervisor);

#endif
