/*
 * Bars of text: to an eighth of a character with the block elements of Unicode, or to half of one
 * with '#' and '-'.
 */
#ifndef SORREL_TOOLS_SPREAD_BAR_H
#define SORREL_TOOLS_SPREAD_BAR_H

#include <stdbool.h>

enum { BAR_WIDTH_MAX = 64, BAR_TEXT_MAX = 3 * BAR_WIDTH_MAX + 1 };

/* Does the locale have the block elements? After setlocale(3). */
bool bar_has_blocks(void);

/* Writes a bar for `part` (0 to 1) of `width` characters, padded with blanks. Any part above 0 is
 * seen. Returns `text`. */
const char *bar_draw(double part, unsigned width, bool blocks, char text[BAR_TEXT_MAX]);

#endif
