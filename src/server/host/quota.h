/*
 * How often something may be done: so many times at once, and so many times a second in the long
 * run. Pure.
 */
#ifndef SORREL_SERVER_QUOTA_H
#define SORREL_SERVER_QUOTA_H

#include <stdbool.h>

struct quota {
    double most;       /* times at once */
    double per_second; /* times */
    double left;       /* at `when`; `most` at first */
    double when;       /* seconds, by any clock that does not go back */
};

/* May it be done now? If so it counts as done. */
static inline bool quota_take(struct quota *quota, double now)
{
    quota->left += (now - quota->when) * quota->per_second;
    quota->when = now;
    if (quota->left > quota->most)
        quota->left = quota->most;
    if (quota->left < 1)
        return false;
    quota->left -= 1;
    return true;
}

#endif
