/*
 * Numbers as people like to read them.
 */
#ifndef SORREL_TOOLS_SPREAD_NUMBER_H
#define SORREL_TOOLS_SPREAD_NUMBER_H

enum { NUMBER_MAX = 32 };

/* Writes `n` without a fraction, with commas between its thousands. Returns `text`. */
const char *number_thousands(double n, char text[NUMBER_MAX]);

/* Writes `n` with `digits` digits behind the point; "-" for what is negative, that is, not known.
 * Returns what is to be printed. */
const char *number_decimal(double n, int digits, char text[NUMBER_MAX]);

#endif
