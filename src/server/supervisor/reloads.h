/*
 * The reloads that are wanted, by SIGHUP or by sorrelctl, and those that the load under way is for.
 *
 * What is wanted while a load is under way waits for the next, for its files may have been read
 * already. All that waits then is done by one load.
 */
#ifndef SORREL_SERVER_RELOADS_H
#define SORREL_SERVER_RELOADS_H

#include "server/control/control.h"
#include "server/loading/ledger.h"

#include <stdbool.h>

struct reloads_request;

struct reloads {
    bool all_wanted; /* all zones, whoever waits */
    struct reloads_request *waiting;
    struct reloads_request *served; /* by the load under way */
    const char **only;              /* zones of the load under way; NULL: all */
};

/* All zones are to be looked at; nobody waits for it. */
void reloads_want_all(struct reloads *reloads);

/* The request's arguments are the zones to look at; none: all. It is answered when that is done. */
void reloads_want(struct reloads *reloads, struct control_request *request);

bool reloads_are_wanted(const struct reloads *reloads);

/*
 * A load begins, for all that is wanted: the zones to look at, ended by NULL, or NULL for all.
 * Valid until reloads_end().
 */
const char *const *reloads_begin(struct reloads *reloads);

/* The load has ended and is in the ledger: answers those it was for. `failure`: there is no new
 * table, and this sentence says why. */
void reloads_end(struct reloads *reloads, const struct ledger *ledger, const char *failure);

/* Refuses all that wait. */
void reloads_refuse(struct reloads *reloads, const char *sentence);

#endif
