/*
 * What came from elsewhere, made fit to be shown on a terminal.
 */
#ifndef SORREL_TOOLS_LEGIBLE_H
#define SORREL_TOOLS_LEGIBLE_H

#include <jansson.h>
#include <stdbool.h>

/* What any count is below, and JSON's readers agree on (RFC 8259 §6): 2^53. */
#define LEGIBLE_NUMBER_MAX 9007199254740992.0

/* Writes \xHH in place of each octet of a character that controls terminals (C0, DEL, C1), in every
 * string of `document`; members whose names have such are removed. Brings every number within
 * LEGIBLE_NUMBER_MAX of 0. False: out of memory. */
bool legible_make(json_t *document);

#endif
