/*
 * The servers that are compared: each a child of ours on its own port of 127.0.0.1, configured for
 * plain authoritative service with a given number of workers, and nothing that the others do not
 * do: no rate limits, no query log, no notifies.
 */
#ifndef SORREL_BENCH_SERVER_H
#define SORREL_BENCH_SERVER_H

#include "family.h"
#include "zoneset.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { SERVER_PATH_MAX = ZONESET_PATH_MAX, SERVER_ARGUMENTS_MAX = 24, SERVER_ARGUMENT_MAX = 320 };

struct server {
    const struct server_kind *kind;
    const struct zoneset *zones;
    const char *zone_directory;
    const char *state_directory; /* for compiled tables; NULL: none */
    unsigned workers;
    uint16_t port;
    pid_t pid;                       /* 0: not running */
    bool is_watched;                 /* while it starts, for the next */
    uint64_t peak_kib;               /* the most memory it was seen to take before it answered */
    double start_seconds;            /* from fork to the first answer */
    char directory[SERVER_PATH_MAX]; /* its own */
    char log[SERVER_PATH_MAX + 8];
    char argument[SERVER_ARGUMENTS_MAX][SERVER_ARGUMENT_MAX];
    unsigned arguments;
};

struct server_kind {
    const char *name;
    bool (*is_installed)(void);
    /* Writes its configuration and adds the arguments. */
    void (*configure)(struct server *server);
    bool no_dnssec;
    bool is_measure;  /* the null responder, to which the others are compared */
    bool no_zones;    /* answers anything */
    bool keeps_table; /* heeds state_directory: a compiled table spares it the next load */
};

/* All kinds, the null responder first; ends with NULL. */
extern const struct server_kind *const server_kinds[];

/* A question and what has to come back for the server to count as answering. */
struct server_probe {
    const uint8_t *query;
    size_t length;
    unsigned rcode;
};

/*
 * Starts it in a directory made below `directory`, and waits for its first answer. False if it ends
 * or does not answer within `patience` seconds; `reason` then says so, with the last line that it
 * had written.
 */
bool server_start(struct server *server, const struct server_kind *kind, const char *directory,
                  const struct server_probe *probe, unsigned patience, char reason[512]);

/* Stops it, and waits for its end. */
void server_stop(struct server *server);

/* Is the process still there? */
bool server_is_running(const struct server *server);

/* For configure(): the next argument, and a file in its directory to be closed by the caller. */
void server_argument(struct server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
FILE *server_file(const struct server *server, const char *name);

#endif
