/*
 * The supervisor's part in protecting the daemon (protection.h): makes what the workers share,
 * tells whose responses are limited, and changes the secrets of cookies.
 */
#ifndef SORREL_SERVER_GUARD_H
#define SORREL_SERVER_GUARD_H

#include "server/host/quota.h"
#include "server/protection/protection.h"
#include "server/protection/rrl.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct handover;

enum { GUARD_LIMITED_MAX = 64 };

struct guard {
    struct ev_loop *loop;
    struct protection *protection;
    ev_timer tick;
    struct rrl_reader reader;
    struct rrl_event limited[GUARD_LIMITED_MAX]; /* whose end is to be told */
    size_t limited_count;
    struct quota quota; /* of lines in the log */
    uint64_t untold;
    time_t secrets_age_from; /* by slot_clock() */
};

/* Before the first worker is forked. Takes the secrets out of `inherited`. False if it cannot be
 * done, which is logged. */
bool guard_open(struct guard *guard, struct ev_loop *loop, struct protection *protection,
                struct handover *inherited);

/* Reads the file of secrets again, if there is one, and warns of those that anyone can read, be
 * they of cookies or of keys. */
void guard_reload(struct guard *guard);

void guard_close(struct guard *guard);

#endif
