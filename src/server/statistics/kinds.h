/*
 * The members of an object of counters, sorted: which types of query there are most of, say.
 */
#ifndef SORREL_SERVER_KINDS_H
#define SORREL_SERVER_KINDS_H

#include <jansson.h>
#include <stddef.h>

struct kind {
    const char *name; /* the object's */
    double count;
};

/* Those that are more than 0, the most frequent first, in `kinds`, which the caller frees. Returns
 * how many. */
size_t kinds_sort(const json_t *counts, struct kind **kinds);

#endif
