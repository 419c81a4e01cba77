/*
 * What keeps the daemon from being abused, and from being used to abuse others: the limits that its
 * options set. Part of the settings, and handed to the workers.
 */
#ifndef SORREL_SERVER_PROTECTION_H
#define SORREL_SERVER_PROTECTION_H

#include "answer/answer.h"
#include "server/host/clock.h"
#include "server/protection/access_rules.h"
#include "server/protection/keys.h"
#include "server/protection/rrl.h"
#include "server/protection/secrets.h"

#include <stdbool.h>

enum {
    PROTECTION_CONNECTIONS_MAX = 10000,
    PROTECTION_IDLE_MAX = 600,

    PROTECTION_ERROR_MAX = SECRETS_ERROR_MAX,

    /* Of rrl.per_second[RRL_RESPONSES], as options set it: PROTECTION_RATE, but for addresses that
     * are not seen on the internet, such as 127.0.0.1: there is no limit. */
    PROTECTION_RATE_AUTO = RRL_RATE_MAX + 1,

    /* Ten times what a busy resolver asks a server for, and with the largest answers that UDP is
     * used for less than 5 Mbit/s for whoever is to be flooded. */
    PROTECTION_RATE = 500,
};

struct protection {
    unsigned edns_size;      /* largest response over UDP, in octets */
    bool cookies;            /* RFC 7873 */
    bool cookies_required;   /* of clients that know them */
    const char *secret_file; /* for cookies; NULL: none */
    struct cookie_secrets given; /* by that file at the start, when it could be read */
    struct secrets secrets;
    unsigned tcp_connections; /* that a worker has at a time */
    unsigned tcp_per_network; /* ... of one client network; 0: all */
    unsigned tcp_idle;        /* seconds from one answer to the next query */
    struct access_rules access; /* who may ask about which zone */
    struct access_rules transfers; /* who may have which zone transferred */
    struct keys keys;              /* that they may be signed with */
    struct rrl_settings rrl;
    struct rrl *limiter; /* NULL: responses are not limited */
};

/* Puts into the settings what follows from others, and checks what can be checked. False with one
 * sentence in `error`. */
bool protection_complete(struct protection *protection, char error[PROTECTION_ERROR_MAX]);

/* Makes what workers share. `secrets`: another daemon's (secrets.h), or -1. False as above. */
bool protection_open(struct protection *protection, int secrets,
                     char error[PROTECTION_ERROR_MAX]);

void protection_close(struct protection *protection);

/* By a worker, before it answers: secrets and time as they are now. */
static inline void protection_refresh(const struct protection *protection,
                                      struct answer_settings *settings)
{
    if (protection->secrets.board != NULL)
        settings->cookies = secrets_current(protection->secrets.board);
    else if (protection->keys.ready.count == 0)
        return;
    settings->now = clock_date();
}

#endif
