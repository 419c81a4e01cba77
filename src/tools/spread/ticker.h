/*
 * How far the work is: a line on standard error, rewritten in place, if that is a terminal; nothing
 * if it is not, or if all is done within a second.
 */
#ifndef SORREL_TOOLS_SPREAD_TICKER_H
#define SORREL_TOOLS_SPREAD_TICKER_H

#include <stdbool.h>
#include <stdint.h>

struct ticker {
    bool visible; /* there is a line now */
    bool terminal;
    uint64_t started;
    uint64_t shown; /* when the line was last written */
};

void ticker_start(struct ticker *ticker);

/* Says that `part` (0 to 1) of all is done, and what is being done. */
void ticker_show(struct ticker *ticker, double part, const char *what);

/* Takes the line away, for instance before something else is printed. */
void ticker_hide(struct ticker *ticker);

#endif
