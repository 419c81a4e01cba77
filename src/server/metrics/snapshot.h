/*
 * What the metrics process knows of the daemon: asks the supervisor through the connection that it
 * inherited, and not again for what is new enough, however many clients there are.
 */
#ifndef SORREL_SERVER_SNAPSHOT_H
#define SORREL_SERVER_SNAPSHOT_H

#include <jansson.h>
#include <stdbool.h>

enum { SNAPSHOT_ZONES_MAX = 1000 };

/* NULL: not known yet. */
struct snapshot {
    int connection;  /* blocks */
    json_t *stats;   /* as sorrelctl(8) describes them */
    json_t *earlier; /* statistics of a second before, or more, to tell rates by */
    json_t *mark;    /* what `earlier` will be next */
    json_t *status;  /* with at most SNAPSHOT_ZONES_MAX zones, those that failed first */
    double stats_at; /* when they were asked for; by a clock that nobody sets */
    double status_at;
};

enum snapshot_outcome {
    SNAPSHOT_FRESH,
    SNAPSHOT_REFUSED, /* the supervisor gives no answer that can be used, now */
    SNAPSHOT_LOST,    /* nor will it ever on this connection */
};

void snapshot_init(struct snapshot *snapshot, int connection);

/* Asks for what is too old. */
enum snapshot_outcome snapshot_refresh(struct snapshot *snapshot);

void snapshot_clear(struct snapshot *snapshot);

#endif
