/*
 * The secrets of the server cookies (answer/cookie.h): from a file that servers share, or the
 * daemon's own, random, and changed every day. They lie in memory that the workers read, so that
 * all of them change at once; a daemon that takes over gets its descriptor, and knows the cookies
 * that clients have.
 */
#ifndef SORREL_SERVER_SECRETS_H
#define SORREL_SERVER_SECRETS_H

#include "answer/cookie.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { SECRETS_ERROR_MAX = 512, SECRETS_VERSIONS = 8, SECRETS_OWN_LIFETIME = 24 * 3600 };

/* Shared. What a worker has read stands until the secrets have changed SECRETS_VERSIONS times. */
struct secrets_board {
    _Atomic uint32_t current;
    struct cookie_secrets versions[SECRETS_VERSIONS];
};

struct secrets {
    struct secrets_board *board;
    int fd;
};

/*
 * Makes the board: with what is `given`, unless that is NULL; else with what is on that of another
 * daemon, whose descriptor `inherited` is closed, unless it is -1 or has nothing of use; else at
 * random. False with one sentence in `error`.
 */
bool secrets_open(struct secrets *secrets, const struct cookie_secrets *given, int inherited,
                  char error[SECRETS_ERROR_MAX]);

/* Reads a file of secrets: 32 hexadecimal digits a line, the one that makes cookies first; empty
 * lines and those that begin with # are passed over. False with one sentence in `error`. */
bool secrets_read(struct cookie_secrets *read, const char *file, char error[SECRETS_ERROR_MAX]);

/* May anyone read the file, and so forge the cookies of this server? */
bool secrets_are_public(const char *file);

/* All workers have these from their next batch on. */
void secrets_change(struct secrets *secrets, const struct cookie_secrets *to);

/* A new random secret, and the one before it. False if there is none to be had. */
bool secrets_renew(struct secrets *secrets);

/* This process, a worker, has no business to change them. */
void secrets_only_read(const struct secrets *secrets);

void secrets_close(struct secrets *secrets);

static inline const struct cookie_secrets *secrets_current(const struct secrets_board *board)
{
    return &board->versions[atomic_load_explicit(&board->current, memory_order_acquire) %
                            SECRETS_VERSIONS];
}

#endif
