/*
 * What the cells say, in words. Each sentence is made from the figures, and none is said that they
 * do not bear out.
 */
#ifndef SORREL_TOOLS_SPREAD_READING_H
#define SORREL_TOOLS_SPREAD_READING_H

#include "tools/spread/cell.h"

struct reading {
    char **paragraphs;
    size_t count;
};

/* One paragraph a policy, then what concerns several. False: no memory. */
bool reading_make(struct reading *reading, const struct cells *cells);

void reading_free(struct reading *reading);

#endif
