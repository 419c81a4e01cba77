/*
 * A name server under test: how it is started, told to reload, restarted and stopped, and which its
 * workers are. There is one kind for each program; where a kind cannot do a thing its function is
 * NULL.
 */
#ifndef SORREL_LOSS_SUBJECT_H
#define SORREL_LOSS_SUBJECT_H

#include "child.h"
#include "footprint.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SUBJECT_PATH_MAX = 256 };

struct subject {
    const struct subject_kind *kind;
    const char *steering; /* NULL: the kind has but one */
    unsigned workers;
    uint32_t names;
    uint32_t version; /* of the zone file */
    uint16_t port;
    const char *const *options; /* more of the daemon's, ended by NULL; NULL: none */
    bool is_managed;            /* started by the stand-in of a service manager, fdstore ... */
    pid_t manager;              /* ... which is this one, ... */
    int orders;                 /* ... and reads its commands from here */
    pid_t pid;                  /* of the process that its commands and signals go to */
    char directory[SUBJECT_PATH_MAX]; /* its own, and temporary */
    char zone[SUBJECT_PATH_MAX + 64];
    char log[SUBJECT_PATH_MAX + 64];
    char control[SUBJECT_PATH_MAX + 64];
    char configuration[SUBJECT_PATH_MAX + 64];
};

enum subject_ability {
    SUBJECT_STARTS, /* all that are installed can */
    SUBJECT_RELOADS,
    SUBJECT_HEEDS_SIGHUP,
    SUBJECT_SAYS_WHEN_RELOADED, /* reload returns SUBJECT_RELOADED */
    SUBJECT_RESPAWNS,           /* workers that die are replaced */
    SUBJECT_REPLACES_STALLED,   /* workers that are stopped, too */
    SUBJECT_RESIZES,
    SUBJECT_STEERS, /* changes the steering policy, and counts queries exactly */
    SUBJECT_TAKES_OVER,
    SUBJECT_RESTARTS,
    SUBJECT_OUTLIVES_SUPERVISOR, /* a service manager keeps its sockets */
};

enum subject_reload {
    SUBJECT_RELOADED, /* every query sent from now on is answered from the new version */
    SUBJECT_TOLD,     /* it will be at some time */
    SUBJECT_REFUSED,  /* the zone file is not good */
};

struct subject_kind {
    const char *name;
    const char *const *steerings; /* ends with NULL; NULL: one, without a name */
    bool (*is_installed)(void);
    void (*start)(struct subject *); /* returns at once; zone file and directory are there */
    void (*stop)(struct subject *);
    enum subject_reload (*reload)(struct subject *);
    enum subject_reload (*hang_up)(struct subject *); /* reload by SIGHUP */
    bool (*can)(enum subject_ability);
    bool (*resize)(struct subject *, unsigned workers);
    bool (*steer)(struct subject *, const char *policy);
    uint64_t (*count)(struct subject *); /* queries over UDP that it has counted */
    bool (*take_over)(struct subject *); /* by a daemon with subject->workers */
    bool (*upgrade)(struct subject *);   /* by one that it starts itself */
    bool (*restart)(struct subject *);
    bool (*kill_supervisor)(struct subject *); /* and wait until it answers again */
    size_t (*list_workers)(const struct subject *, pid_t workers[CHILD_LIST_MAX]);
    bool one_process; /* a worker's death is the server's: it has to be started anew */
    bool is_ours;     /* its losses are judged */
};

extern const struct subject_kind subject_sorreld, subject_nsd, subject_knotd;

/* Makes a directory and a zone file for it, starts it and waits until it answers. Ends the test if
 * it does not. */
void subject_start(struct subject *subject);

/* Stops it and removes its directory. */
void subject_stop(struct subject *subject);

/* Removes the directory; it has ended. */
void subject_remove(const struct subject *subject);

/* Writes the next version of the zone, which is then subject->version. */
void subject_change_zone(struct subject *subject);

/* Does it answer a query now? Waits a tenth of a second at most. */
bool subject_answers(const struct subject *subject);

/* Waits until it answers. Ends the test if that takes too long, or if it has ended. */
void subject_wait_answering(struct subject *subject);

/* What it and its workers take. */
void subject_measure(const struct subject *subject, struct footprint *footprint);

/* Datagrams that found the receive queues of its sockets full, as far as these are open still. */
uint64_t subject_drops(const struct subject *subject);

#endif
