/*
 * What is asked of which zones.
 */
#ifndef SORREL_BENCH_WORKLOAD_H
#define SORREL_BENCH_WORKLOAD_H

#include "questions.h"
#include "zoneset.h"

struct workload {
    const char *name;
    const char *title;
    const char *zones; /* name of the zone set */
    struct questions_settings questions;
    unsigned parts; /* as many numbers as the set has names, divided by this; 0: ten million */
    unsigned rcode; /* of nearly all answers */
    bool mixed;     /* other RCODEs are right too */
    unsigned flows; /* source ports; 0: as many as the others */
};

enum { WORKLOAD_SETS = 6, WORKLOAD_COUNT = 10 };

/* Where the root zone is, and a file of names to ask for, one a line; or NULL. */
struct workload_root {
    const char *zone;
    const char *names;
};

/* The sets with at most `names_max` names each. The root zone is the last, without a file if there
 * is none. */
void workload_sets(struct zoneset sets[WORKLOAD_SETS], uint32_t names_max,
                   const struct workload_root *root);

extern const struct workload workload_all[WORKLOAD_COUNT];

/* Its questions to `set`; files that are needed are made in `directory`. Ends the program if that
 * fails. */
struct questions *workload_questions(const struct workload *workload, const struct zoneset *set,
                                     const char *directory, const struct workload_root *root);

#endif
