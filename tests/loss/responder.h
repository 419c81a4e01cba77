/*
 * A responder that answers the loss tests' queries without being a name server, rightly or with
 * faults that it counts: the test of the generator. It shows whether the generator loses anything
 * itself, and whether it counts right.
 */
#ifndef SORREL_LOSS_RESPONDER_H
#define SORREL_LOSS_RESPONDER_H

#include <stdint.h>
#include <sys/types.h>

enum responder_fault {
    RESPONDER_DROPPED,
    RESPONDER_DOUBLED,  /* answered twice */
    RESPONDER_DAMAGED,  /* the last octet, of an address, is another */
    RESPONDER_MIXED,    /* the last record is from another version; answers with two records only */
    RESPONDER_OUTDATED, /* from version 0 */
    RESPONDER_FAULTS,
};

enum { RESPONDER_VERSION = 1 };

struct responder_counts {
    uint64_t queries;
    uint64_t faults[RESPONDER_FAULTS];
};

struct responder {
    uint16_t port;
    pid_t pid;
    volatile const struct responder_counts *counts; /* shared with it, and valid after its end */
};

/* Starts one on a free port of 127.0.0.1, in a process of its own, that answers from
 * RESPONDER_VERSION. Query number i has fault f if i modulo `every` is f; `every` 0: none has. */
void responder_start(struct responder *responder, uint32_t names, unsigned every);

void responder_stop(struct responder *responder);

#endif
