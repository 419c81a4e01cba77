/*
 * What `sorrelctl top` shows: one frame, drawn from two of the daemon's statistics. Pure.
 */
#ifndef SORREL_TOOLS_TOP_FRAME_H
#define SORREL_TOOLS_TOP_FRAME_H

#include "tools/canvas.h"

#include <jansson.h>
#include <stdbool.h>

enum { TOP_FRAME_WIDTH = 80 };

struct top_frame {
    const json_t *stats;   /* the latest; NULL: none yet */
    const json_t *earlier; /* from the same daemon; NULL: none, and no rates */
    double interval;       /* seconds between frames; 0: this is the only one */
    int first;             /* worker that is shown first: the others are scrolled away */
    const char *message;   /* what has gone wrong, or happened; NULL: nothing */
};

/* Rows that a frame takes if all of it is to be seen, TOP_FRAME_WIDTH columns wide. */
int top_frame_height(const struct top_frame *frame);

/* Draws the frame on an empty canvas, as much of it as there is room for. */
void top_frame_draw(const struct top_frame *frame, struct canvas *canvas);

#endif
