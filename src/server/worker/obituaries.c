#include "server/worker/obituaries.h"

#include "server/host/log.h"

#include <time.h>

static void sum_up(struct obituaries *obituaries)
{
    ev_timer_stop(obituaries->loop, &obituaries->summary);
    if (obituaries->untold == 0)
        return;
    if (obituaries->given_up == 0)
        log_error("workers that have died since, too many for a line each: %lu",
                  obituaries->untold);
    else
        log_error("workers that have died since, too many for a line each: %lu; queries they "
                  "crashed on, which are given up: %lu",
                  obituaries->untold, obituaries->given_up);
    obituaries->untold = obituaries->given_up = 0;
}

static void summary_due(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    sum_up(watcher->data);
}

void obituaries_open(struct obituaries *obituaries, struct ev_loop *loop)
{
    *obituaries = (struct obituaries){.loop = loop,
                                      .quota = {.most = OBITUARIES_A_SECOND,
                                                .per_second = OBITUARIES_A_SECOND,
                                                .left = OBITUARIES_A_SECOND}};
    ev_init(&obituaries->summary, summary_due);
    obituaries->summary.data = obituaries;
    obituaries->summary.repeat = 1;
}

bool obituaries_admit(struct obituaries *obituaries)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return quota_take(&obituaries->quota, (double)now.tv_sec + (double)now.tv_nsec / 1e9);
}

void obituaries_count(struct obituaries *obituaries, unsigned given_up)
{
    obituaries->untold++;
    obituaries->given_up += given_up;
    if (!ev_is_active(&obituaries->summary))
        ev_timer_again(obituaries->loop, &obituaries->summary);
}

void obituaries_close(struct obituaries *obituaries)
{
    sum_up(obituaries);
}
