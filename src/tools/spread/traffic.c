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

bool traffic_is_time_up(const struct traffic *traffic, uint64_t started, uint64_t now)
{
    return (double)(now - started) > traffic->seconds * 1e9;
}

void traffic_tell(const struct traffic *traffic, const struct traffic_tally *tally,
                  uint64_t started)
{
    double sent = (double)tally->sent / (double)traffic->queries;
    double time = (double)(traffic_clock() - started) / (traffic->seconds * 1e9);

    traffic->progress(traffic->closure, sent > time ? sent : time);
}

uint64_t traffic_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
