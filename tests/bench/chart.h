/*
 * A chart: lines over a common x axis, with the range between rounds as whiskers.
 */
#ifndef SORREL_BENCH_CHART_H
#define SORREL_BENCH_CHART_H

#include <cairo.h>
#include <stdbool.h>
#include <stddef.h>

enum { CHART_LINES_MAX = 4, CHART_POINTS_MAX = 32 };

struct chart_line {
    const char *label;
    double red, green, blue;
    bool is_dashed;
    size_t count;
    double x[CHART_POINTS_MAX];
    double y[CHART_POINTS_MAX];
    double low[CHART_POINTS_MAX]; /* as y: no whisker */
    double high[CHART_POINTS_MAX];
};

struct chart {
    const char *title;
    const char *x_title;
    bool is_log_x;
    bool is_log_y; /* otherwise from 0 */
    size_t count;
    struct chart_line line[CHART_LINES_MAX];
};

struct chart_box {
    double x, y, width, height;
};

void chart_draw(cairo_t *cairo, const struct chart *chart, const struct chart_box *box);

#endif
