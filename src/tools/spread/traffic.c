#include "tools/spread/traffic.h"

#include <time.h>

void traffic_count(const struct traffic *traffic, struct traffic_tally *tally,
                   const struct packet_reply *reply, uint64_t nanoseconds)
{
    tally->answered++;
    latency_add(&tally->latency, nanoseconds);
    if (reply->nsid == NULL) {
        tally->nameless++;
        return;
    }
    unsigned worker = roster_find(traffic->roster, reply->nsid, reply->nsid_length);
    if (worker != ROSTER_NONE)
        tally->workers[worker]++;
}

uint64_t traffic_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
