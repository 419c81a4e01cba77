/*
 * What came from elsewhere, made fit to be shown on a terminal.
 */
#ifndef SORREL_TOOLS_LEGIBLE_H
#define SORREL_TOOLS_LEGIBLE_H

#include <jansson.h>
#include <stdbool.h>

/* Writes \xHH in place of each octet of a character that controls terminals (C0, DEL, C1), in every
 * string of `document`; members whose names have such are removed. False: out of memory. */
bool legible_make(json_t *document);

#endif
