/*
 * How unevenly chance alone spreads flows over workers: what share of the queries each should be
 * expected to get. Pure.
 *
 * Model. Every flow goes to one of N workers, each equally likely, independently of the others, and
 * carries its queries along: a flow is a client's address and port under the policy `hash`, and a
 * single query under `query` and `random`. A few flows may be known to be heavy; the others are
 * taken to be alike.
 *
 * Method. The share S of one worker is then a sum of heavy flows, each there with probability 1/N,
 * and of a binomial number of the others; its distribution F is computed exactly, over all subsets
 * of the heavy ones, with the incomplete beta function for the binomial. The N shares depend on
 * each other, as they add up to 1; but they are negatively associated (Joag-Dev and Proschan,
 * 1983), so
 *
 *     1 - N (1 - F(s))  <=  P(all shares <= s)  <=  F(s)^N
 *
 * without approximation. The left side (Bonferroni) gives the ends that no share crosses, the right
 * side the least share that the busiest worker has. In the tails the two sides are nearly equal, so
 * little is given away.
 */
#ifndef SORREL_SERVER_BAND_H
#define SORREL_SERVER_BAND_H

#include <stddef.h>
#include <stdint.h>

/* With the model's flows, the shares lie within the band at least so often. */
#define BAND_CONFIDENCE 0.99

enum {
    /* Heavy flows that are told apart; there are 2^n subsets of them. Lighter ones count as one
     * part of the rest. */
    BAND_HEAVY_MAX = 4,
};

/* Shares of all queries, from 0 to 1. */
struct band {
    double low, high;                                  /* all workers' shares are between these */
    double busiest_low, busiest_typical, busiest_high; /* the busiest worker's; the typical one is
                                                          about the median */
};

/*
 * The band of `flows` flows over `workers` workers. `heavy` has the shares of `count` of the flows,
 * the heaviest first, each from 0 to 1 and at most 1 together. Without flows, or with one worker,
 * the band is everything that can be.
 */
struct band band_of_flows(unsigned workers, uint64_t flows, const double *heavy, size_t count);

#endif
