/*
 * The policies by which the kernel spreads queries over workers (sorreld -s), and what one should
 * expect of each.
 */
#ifndef SORREL_TOOLS_SPREAD_POLICY_H
#define SORREL_TOOLS_SPREAD_POLICY_H

#include <stdbool.h>

/* What is placed on one worker or another. */
enum policy_ball {
    POLICY_FLOWS,   /* each flow, as a whole, by chance */
    POLICY_QUERIES, /* each query, by chance */
    POLICY_CPUS,    /* each CPU, by its number: nothing is left to chance */
    POLICY_WAITERS, /* nothing: workers take what they can get */
};

struct policy {
    const char *name;
    enum policy_ball datagrams;
    enum policy_ball connections; /* of TCP, which no policy looks into */
};

/* All of them, in the order in which they are tried; ends with a name of NULL. */
extern const struct policy policy_list[];

/* Of a server that somebody else has set up: what its flows would do under `hash`. */
extern const struct policy policy_of_server;

/* NULL if there is none of that name. */
const struct policy *policy_find(const char *name);

static inline enum policy_ball policy_ball(const struct policy *policy, bool tcp)
{
    return tcp ? policy->connections : policy->datagrams;
}

#endif
