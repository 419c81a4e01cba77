/*
 * The shares as a picture: a panel for each policy and number of flows, with a bar for each worker.
 */
#ifndef SORREL_TOOLS_SPREAD_PLOT_H
#define SORREL_TOOLS_SPREAD_PLOT_H

#include "tools/spread/cell.h"

enum { PLOT_ERROR_MAX = 256 };

/* Can this program draw into a file of that name: *.svg or *.png, and writable? If not, why. */
bool plot_can_draw(const char *path, char error[PLOT_ERROR_MAX]);

/* Draws. False with a sentence in `error`. */
bool plot_draw(const struct cells *cells, const char *path, char error[PLOT_ERROR_MAX]);

#endif
