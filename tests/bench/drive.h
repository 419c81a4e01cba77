/*
 * Drives a load: closed, as fast as a window of queries under way allows, for throughput; or
 * paced, at random moments that do not wait for answers, for latency.
 */
#ifndef SORREL_BENCH_DRIVE_H
#define SORREL_BENCH_DRIVE_H

#include "flow.h"
#include "questions.h"

#include <stdint.h>

enum { DRIVE_FLOWS_MAX = 256 };

struct drive_settings {
    const struct questions *questions; /* asked at random, each as likely */
    uint16_t port;                     /* of 127.0.0.1 */
    unsigned flows;                    /* source ports */
    unsigned window;                   /* queries under way in all, if closed */
    unsigned rate;                     /* queries a second if paced; 0: closed */
    double seconds;                    /* measured, */
    double warm_up;                    /* after so long that is not */
    uint64_t seed;                     /* of the order of questions */
};

struct drive_result {
    struct flow_counts counts; /* from the first query to the last, warm-up included */
    double seconds;            /* measured */
    double rate;               /* answers a second, in these */
    /* Paced only. Times from when a query was due, not from when it could be sent. */
    uint64_t skipped; /* queries not sent, because too many were under way */
    uint32_t median_ns;
    uint32_t p99_ns;
    uint32_t slowest_ns;
};

/* False, with one sentence on standard error, if sockets or memory cannot be had. */
bool drive(const struct drive_settings *settings, struct drive_result *result);

#endif
