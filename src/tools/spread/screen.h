/*
 * The cells as a person reads them, in 80 columns.
 */
#ifndef SORREL_TOOLS_SPREAD_SCREEN_H
#define SORREL_TOOLS_SPREAD_SCREEN_H

#include "tools/spread/cell.h"

#include <stdio.h>

enum { SCREEN_COLUMNS = 80 };

/* Who was asked what, and the heading of the bars. */
void screen_begin(const struct cells *cells, unsigned workers, FILE *out);

/* The bars of a cell: one row, or more if there are many workers. `heading`: the first of its
 * policy. */
void screen_bars(const struct cell *cell, FILE *out);

/* The figures of all cells, and what was skipped. */
void screen_figures(const struct cells *cells, FILE *out);

/* A paragraph, its lines broken between words. */
void screen_paragraph(const char *text, FILE *out);

#endif
