/*
 * What can happen to a name server while queries are under way, and what that may cost.
 */
#ifndef SORREL_LOSS_SCENARIO_H
#define SORREL_LOSS_SCENARIO_H

#include "load.h"
#include "subject.h"

#include <stdbool.h>
#include <stdint.h>

/* How much of everything. */
struct scenario_effort {
    unsigned rate; /* queries a second */
    uint64_t queries;
    unsigned flows;
    uint32_t names;
    unsigned workers;
    unsigned reloads;
    unsigned resizes;  /* through all sizes */
    unsigned switches; /* of the steering policy */
    unsigned sharings; /* to one socket for all workers, and back */
    unsigned takeovers;
    unsigned restarts;
    unsigned deaths;    /* of each worker */
    unsigned shortfall; /* percent of its rate that the generator may miss */
    unsigned attempts;  /* the rate is halved after each that was void */
};

struct scenario_stage;

struct scenario {
    const char *name;
    const char *event; /* in words */
    enum subject_ability needs;
    bool is_managed; /* sorreld is started by the stand-in of a service manager */
    void (*happen)(struct scenario_stage *);
};

enum scenario_verdict {
    SCENARIO_KEPT,
    SCENARIO_BROKEN,
    SCENARIO_VOID, /* the generator fell short, or others had the CPUs that the server needed */
};

struct scenario_result {
    struct load_tally tally;
    unsigned asked_rate;
    unsigned kills;
    unsigned others;   /* percent of the machine that other programs had */
    uint64_t drops;    /* datagrams that found the server's queues full */
    char trouble[256]; /* what went wrong beside the answers; empty: nothing */
    enum scenario_verdict verdict;
};

/* All there are; the last has no name. */
extern const struct scenario scenario_all[];

/* Lets it happen to a server of this kind, once, at effort->rate divided by `divisor`. */
void scenario_run(const struct scenario *scenario, const struct subject_kind *kind,
                  const char *steering, const struct scenario_effort *effort, unsigned divisor,
                  struct scenario_result *result);

#endif
