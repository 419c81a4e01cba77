/*
 * Rules of access (access_rules.h) for zones that nobody serves: a name that is mistyped there
 * leaves the zone that is meant as open as if there were no rule.
 */
#ifndef SORREL_SERVER_STRAYS_H
#define SORREL_SERVER_STRAYS_H

#include "server/loading/ledger.h"
#include "server/protection/protection.h"

#include <stddef.h>

enum {
    STRAYS_SENTENCE_MAX = 1024,
    STRAYS_LINES_MAX = 20, /* told one by one */
    /* Names of zones that are compared with those of rules, to find what is meant. The first rules
     * have them all: the supervisor has other things to do than to wait for the last. */
    STRAYS_COMPARISONS_MAX = 300000,
};

typedef void strays_sink(void *closure, const char *sentence);

/*
 * Tells of each rule whose zone is neither served nor has failed to load, as of the last load:
 * `FILE:LINE: reason`, or of the command line `--OPTION TEXT: reason`; behind STRAYS_LINES_MAX how
 * many others there are. Returns how many rules it is.
 */
size_t strays_tell(const struct protection *protection, const struct ledger *ledger,
                   strays_sink *sink, void *closure);

#endif
