#include "tools/spread/ticker.h"

#include "tools/spread/traffic.h"

#include <stdio.h>
#include <unistd.h>

static const uint64_t first_ns = 1000000000, interval_ns = 100000000;

void ticker_start(struct ticker *ticker)
{
    *ticker = (struct ticker){.terminal = isatty(STDERR_FILENO) == 1, .started = traffic_clock()};
}

void ticker_show(struct ticker *ticker, double part, const char *what)
{
    uint64_t now = traffic_clock();

    if (!ticker->terminal || now - ticker->started < first_ns || now - ticker->shown < interval_ns)
        return;
    fprintf(stderr, "\r\033[K%3.0f %%  %.60s", 100 * part, what);
    ticker->shown = now;
    ticker->visible = true;
}

void ticker_hide(struct ticker *ticker)
{
    if (ticker->visible)
        fputs("\r\033[K", stderr);
    ticker->visible = false;
}
