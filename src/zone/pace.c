#include "zone/pace.h"

#include <stdio.h>
#include <time.h>

/* Seconds: what takes less is over before one has read about it; and what one must have seen of a
 * load to know how long it will take. */
static const double worth_a_line = 2, foreseeable = 1;

double pace_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void pace_start(struct pace *pace, double interval, double now)
{
    *pace = (struct pace){.interval = interval, .started = now, .told = now - interval};
}

bool pace_line(struct pace *pace, const struct tally_count *count, double now,
               char text[PACE_TEXT_MAX])
{
    double elapsed = now - pace->started;
    double done = count->expected > 0 ? (double)count->done / (double)count->expected : 0;

    bool is_soon_over = done >= 1 || (elapsed < worth_a_line && elapsed < worth_a_line * done);
    bool has_begun = count->expected > 0 || count->records > 0;

    if (!has_begun || is_soon_over || elapsed < foreseeable || now - pace->told < pace->interval)
        return false;
    pace->told = now;
    int length = snprintf(text, PACE_TEXT_MAX, "loading: %.0f %%, %llu records (%.0f/s)",
                          100 * done, (unsigned long long)count->records,
                          (double)count->records / elapsed);
    if (done > 0)
        snprintf(text + length, PACE_TEXT_MAX - (size_t)length, ", %.0f s left",
                 elapsed / done - elapsed);
    return true;
}
