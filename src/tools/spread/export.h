/*
 * The cells for programs: as JSON and as comma-separated values; sorrel-spread(1) describes both.
 */
#ifndef SORREL_TOOLS_SPREAD_EXPORT_H
#define SORREL_TOOLS_SPREAD_EXPORT_H

#include "tools/spread/cell.h"
#include "tools/spread/reading.h"

#include <stdio.h>

void export_json(const struct cells *cells, const struct reading *reading, FILE *out);

/* A heading, then a row a cell. */
void export_csv(const struct cells *cells, FILE *out);

#endif
