/*
 * A rectangle of characters, each with a style: what a screen is to show, whatever shows it. What
 * does not fit is cut off.
 */
#ifndef SORREL_TOOLS_CANVAS_H
#define SORREL_TOOLS_CANVAS_H

#include <stdio.h>

enum canvas_style {
    CANVAS_PLAIN,
    CANVAS_QUIET,
    CANVAS_STRONG,
    CANVAS_TITLE, /* heads of columns */
    CANVAS_BAR,   /* the character is seen only where there is neither colour nor reverse video */
    CANVAS_HOT,   /* a bar, too */
    CANVAS_ALARM, /* text */
};

struct canvas_cell {
    char character;
    unsigned char style; /* enum canvas_style */
};

struct canvas {
    int width;
    int height;
    struct canvas_cell *cells; /* row by row */
};

/* Opens an empty one, or ends the program for want of memory. */
void canvas_open(struct canvas *canvas, int width, int height);

void canvas_close(struct canvas *canvas);

/* Writes text from a place on; returns the column behind it. Bytes that are not printable ASCII
 * become `?`. */
int canvas_print(struct canvas *canvas, int row, int column, enum canvas_style style,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Writes text in lines between two columns, the later ones below the first word's. Returns the row
 * below. */
int canvas_wrap(struct canvas *canvas, int row, int from, int to, enum canvas_style style,
                const char *text);

/* Prints it without styles; rows end with their last character. */
void canvas_write(const struct canvas *canvas, FILE *out);

#endif
