#include "tools/canvas.h"

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void canvas_open(struct canvas *canvas, int width, int height)
{
    size_t count = (size_t)width * (size_t)height;

    *canvas = (struct canvas){width, height, calloc(count + 1, sizeof *canvas->cells)};
    if (canvas->cells == NULL)
        err(EXIT_FAILURE, NULL);
    for (size_t i = 0; i < count; i++)
        canvas->cells[i].character = ' ';
}

void canvas_close(struct canvas *canvas)
{
    free(canvas->cells);
    *canvas = (struct canvas){0};
}

static void put(struct canvas *canvas, int row, int column, enum canvas_style style, char character)
{
    if (row < 0 || row >= canvas->height || column < 0 || column >= canvas->width)
        return;
    if (character < ' ' || character > '~')
        character = '?';
    canvas->cells[row * canvas->width + column] =
        (struct canvas_cell){character, (unsigned char)style};
}

int canvas_print(struct canvas *canvas, int row, int column, enum canvas_style style,
                 const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        err(EXIT_FAILURE, NULL);
    for (int i = 0; i < length; i++)
        put(canvas, row, column + i, style, text[i]);
    free(text);
    return column + length;
}

int canvas_wrap(struct canvas *canvas, int row, int from, int to, enum canvas_style style,
                const char *text)
{
    int column = from;

    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (column > from && column + 1 + length > to) {
            row++;
            column = from;
        }
        column = canvas_print(canvas, row, column + (column > from), style, "%.*s", length, text);
        text += length + (text[length] == ' ');
    }
    return row + 1;
}

void canvas_write(const struct canvas *canvas, FILE *out)
{
    for (int row = 0; row < canvas->height; row++) {
        const struct canvas_cell *cells = &canvas->cells[row * canvas->width];
        int end = canvas->width;
        while (end > 0 && cells[end - 1].character == ' ')
            end--;
        for (int i = 0; i < end; i++)
            fputc(cells[i].character, out);
        fputc('\n', out);
    }
}
