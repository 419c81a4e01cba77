/*
 * What a list of counts, one for each worker, says of their evenness.
 */
#ifndef SORREL_TOOLS_SPREAD_STATISTICS_H
#define SORREL_TOOLS_SPREAD_STATISTICS_H

#include <stdint.h>

/* The largest count divided by the mean: 1 is even, `n` is all in one. 0 if all counts are. */
double statistics_busiest(const uint64_t *counts, unsigned n);

/*
 * Pearson's chi-squared test of the counts against an even split: the probability that queries
 * which are each placed at random, independently of each other, come out as unevenly as this or
 * more so. 1 if there is nothing to compare.
 */
double statistics_even(const uint64_t *counts, unsigned n);

/* P(X >= x) of the chi-squared distribution with `degrees` of freedom, at least 1. */
double statistics_chi_squared(double x, unsigned degrees);

#endif
