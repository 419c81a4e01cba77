/*
 * Draws the cells on any surface of cairo: policies below each other, numbers of flows side by
 * side. Colours differ in lightness, so that a grey print tells as much.
 */
#ifndef SORREL_TOOLS_SPREAD_PICTURE_H
#define SORREL_TOOLS_SPREAD_PICTURE_H

#include "tools/spread/cell.h"

#include <cairo.h>

struct picture_size {
    double width, height;
};

struct picture_size picture_measure(const struct cells *cells);

void picture_draw(cairo_t *cairo, const struct picture_size *size, const struct cells *cells);

#endif
