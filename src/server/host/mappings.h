/*
 * Memory of the supervisor's that is not for every child: what processes share, and secrets. All of
 * it is mapped apart from the heap and noted here, so that a child, which is forked with all of it,
 * is rid in one place of what it has no business with.
 */
#ifndef SORREL_SERVER_MAPPINGS_H
#define SORREL_SERVER_MAPPINGS_H

#include <stddef.h>

/* Notes a mapping of `length` octets, as mmap(2) has returned it: MAP_FAILED stays what it is.
 * Returns `base`; MAP_FAILED with errno if there is no memory, and then nothing is mapped. */
void *mappings_add(void *base, size_t length);

/* Unmaps one that was noted; NULL: nothing. */
void mappings_remove(const void *base);

/* By a child: unmaps all but those that begin at one of the `count` addresses `kept`, of which some
 * may be NULL. */
void mappings_keep_only(const void *const *kept, size_t count);

#endif
