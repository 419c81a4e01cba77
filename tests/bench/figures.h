/*
 * Series of measurements: one figure of each round.
 */
#ifndef SORREL_BENCH_FIGURES_H
#define SORREL_BENCH_FIGURES_H

#include <stddef.h>

enum { FIGURES_MAX = 64 };

struct figures {
    size_t count;
    double value[FIGURES_MAX];
};

void figures_add(struct figures *figures, double value);

/* 0 if there are none. */
double figures_median(const struct figures *figures);
double figures_least(const struct figures *figures);
double figures_most(const struct figures *figures);

/* Half of the distance between least and most, as a part of the median. */
double figures_spread(const struct figures *figures);

#endif
