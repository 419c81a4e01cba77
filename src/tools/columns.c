#include "tools/columns.h"

#include <err.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void columns_start(struct columns *columns, const char *alignment)
{
    *columns = (struct columns){.alignment = alignment};
}

void columns_add(struct columns *columns, const char *format, ...)
{
    va_list arguments;

    if (columns->count == columns->room) {
        columns->room = 2 * columns->room + 64;
        columns->cells = reallocarray(columns->cells, columns->room, sizeof *columns->cells);
        if (columns->cells == NULL)
            err(EXIT_FAILURE, NULL);
    }
    va_start(arguments, format);
    if (vasprintf(&columns->cells[columns->count++], format, arguments) < 0)
        err(EXIT_FAILURE, NULL);
    va_end(arguments);
}

/* The widest cell of `column`. */
static int measure(const struct columns *columns, size_t column)
{
    size_t width = 0;

    for (size_t i = column; i < columns->count; i += strlen(columns->alignment)) {
        size_t length = strlen(columns->cells[i]);
        width = length > width ? length : width;
    }
    return (int)width;
}

void columns_finish(struct columns *columns, FILE *out)
{
    size_t width = strlen(columns->alignment);
    int *widths = calloc(width, sizeof *widths);

    if (widths == NULL)
        err(EXIT_FAILURE, NULL);
    for (size_t i = 0; i < width; i++) {
        bool ragged = i + 1 == width && columns->alignment[i] == 'l';
        widths[i] = ragged ? 0 : measure(columns, i);
    }
    for (size_t i = 0; i < columns->count; i++) {
        size_t column = i % width;
        bool is_empty = column + 1 == width && columns->cells[i][0] == '\0';
        fprintf(out, columns->alignment[column] == 'r' ? "%s%*s" : "%s%-*s",
                column == 0 || is_empty ? "" : "  ", is_empty ? 0 : widths[column],
                columns->cells[i]);
        fputs(column + 1 == width ? "\n" : "", out);
        free(columns->cells[i]);
    }
    free(widths);
    free(columns->cells);
}
