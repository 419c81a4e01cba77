/*
 * What the log says of workers that have died: a line each, but in a flood of queries that kill
 * workers no more than OBITUARIES_A_SECOND; of the rest, their number. Part of the supervisor.
 */
#ifndef SORREL_SERVER_OBITUARIES_H
#define SORREL_SERVER_OBITUARIES_H

#include "server/host/quota.h"

#include <ev.h>
#include <stdbool.h>

enum { OBITUARIES_A_SECOND = 10 };

struct obituaries {
    struct ev_loop *loop;
    ev_timer summary;
    struct quota quota;
    unsigned long untold;   /* deaths */
    unsigned long given_up; /* queries, in those */
};

void obituaries_open(struct obituaries *obituaries, struct ev_loop *loop);

/* One worker more has died. True if the log may tell of it. */
bool obituaries_admit(struct obituaries *obituaries);

/* One of which the log may not tell: it will be in the next summary, with as many queries that are
 * given up. */
void obituaries_count(struct obituaries *obituaries, unsigned given_up);

/* Tells what is left to tell. */
void obituaries_close(struct obituaries *obituaries);

#endif
