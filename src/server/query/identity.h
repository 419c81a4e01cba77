/*
 * What clients are told of the server itself, if they are told anything (--identity): NSID
 * (RFC 5001) and the texts in class CH (answer/chaos.h).
 *
 *   NSID              ns1.example.net worker 2 of 4      the server's id, then the worker
 *   worker.sorrel     worker 2 of 4 pid 1234             workers are numbered from 0
 *   id.server         ns1.example.net                    hostname.bind: the same
 *   version.server    sorrel 0.1.0                       version.bind: the same
 */
#ifndef SORREL_SERVER_IDENTITY_H
#define SORREL_SERVER_IDENTITY_H

#include "answer/answer.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    /* So that NSID has room for the worker as well (ANSWER_NSID_MAX). */
    IDENTITY_TEXT_MAX = 90,
    IDENTITY_WORKER_MAX = 64,
};

/* The settings. */
struct identity {
    bool told;           /* false: nothing of all this */
    const char *id;      /* NULL: the host's name; empty: not told */
    const char *version; /* NULL: the program's name and version; empty: not told */
};

/* Puts texts in place of NULL. They stay valid. */
void identity_complete(struct identity *identity);

/* A worker's texts: answer_settings point into them. */
struct identity_texts {
    const struct identity *identity;
    unsigned slot;
    int process;
    unsigned workers; /* that the texts speak of */
    char worker[IDENTITY_WORKER_MAX];
    char nsid[ANSWER_NSID_MAX];
};

/* Has the settings tell what `identity`, which outlives them, allows. */
void identity_tell(struct identity_texts *texts, const struct identity *identity, unsigned slot,
                   struct answer_settings *settings);

/* There are so many workers now. */
void identity_update(struct identity_texts *texts, unsigned workers,
                     struct answer_settings *settings);

#endif
