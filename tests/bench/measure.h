/*
 * Rounds of measurements: in each, every server is measured once, one right after the other, so
 * that what changes on the machine changes for all.
 */
#ifndef SORREL_BENCH_MEASURE_H
#define SORREL_BENCH_MEASURE_H

#include "figures.h"
#include "questions.h"
#include "server.h"
#include "workload.h"

#include <stdbool.h>

struct measure_settings {
    unsigned rounds;
    double seconds; /* of each measurement of throughput; of latency half as long */
    unsigned flows;
    unsigned window;
    int server_cpu;
    int client_cpu;
};

/* What a server did in one workload. The series have one value a round. */
struct measure_outcome {
    bool measured;
    unsigned failed;          /* rounds without a single answer in the time that is measured */
    bool sampled;             /* user_ns, kernel_ns come from samples, not from ticks */
    struct figures rate;      /* answers a second */
    struct figures ratio;     /* to the null responder's of the same round */
    struct figures cpu_ratio; /* the null responder's CPU time a query to its own: what the ratio
                                 would be if nothing else took the CPU, and the client kept up */
    struct figures user_ns;   /* CPU time a query */
    struct figures kernel_ns;
    struct figures busy;   /* part of the CPU that the server had under full load */
    struct figures others; /* part of it that other processes had */
    struct figures median_us;
    struct figures p99_us;
    double paced_rate; /* of the two above: queries a second */
    uint64_t answered;
    uint64_t lost;
    uint64_t strange;
    uint64_t unexpected; /* answers with another RCODE */
    uint64_t late;       /* queries that were not sent or answered when paced */
};

/* The first CPU that we may use is the servers', the last the client's. */
void measure_choose_cpus(struct measure_settings *settings);

/* Measures servers[0 .. count), of which the first is the null responder; those that do not run
 * are left out. */
void measure(const struct measure_settings *settings, const struct workload *workload,
             const struct questions *questions, struct server *servers, size_t count,
             struct measure_outcome *outcomes);

#endif
