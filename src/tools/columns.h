/*
 * Text in aligned columns, as wide as their widest cell. The last column is not padded.
 */
#ifndef SORREL_TOOLS_COLUMNS_H
#define SORREL_TOOLS_COLUMNS_H

#include <stddef.h>
#include <stdio.h>

struct columns {
    const char *alignment; /* one character for each column: 'l' or 'r' */
    char **cells;          /* row by row */
    size_t count;
    size_t room;
};

/* Begins with no row. `alignment` stays the caller's. */
void columns_start(struct columns *columns, const char *alignment);

/* Adds a cell, the next of its row. */
void columns_add(struct columns *columns, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints all rows to `out`, and frees them. */
void columns_finish(struct columns *columns, FILE *out);

#endif
