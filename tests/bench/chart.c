#include "config.h"

#ifdef HAVE_CAIRO

#include "chart.h"

#include <math.h>
#include <stdio.h>

enum { MARGIN_LEFT = 58, MARGIN_RIGHT = 14, MARGIN_TOP = 40, MARGIN_BOTTOM = 40, TICK = 4 };

static const double TITLE_SIZE = 12, TEXT_SIZE = 10, DOT = 2.6;

struct axis {
    double low, high; /* of values, or of their logarithms */
    double step;      /* between ticks, likewise */
    bool is_log;
};

struct drawing {
    cairo_t *cairo;
    const struct chart *chart;
    struct chart_box plot; /* within the axes */
    struct axis x, y;
};

/* --- axes ------------------------------------------------------------------------ */

static double scaled(const struct axis *axis, double value)
{
    return axis->is_log ? log10(value) : value;
}

static double place_x(const struct drawing *d, double value)
{
    return d->plot.x + d->plot.width * (scaled(&d->x, value) - d->x.low) / (d->x.high - d->x.low);
}

static double place_y(const struct drawing *d, double value)
{
    double part = (scaled(&d->y, value) - d->y.low) / (d->y.high - d->y.low);

    return d->plot.y + d->plot.height * (1 - part);
}

/* The largest of 1, 2 and 5 times a power of ten that gives at least four steps. */
static double choose_step(double range)
{
    double power = pow(10, floor(log10(range)));

    for (;; power /= 10) {
        if (range / (5 * power) >= 4)
            return 5 * power;
        if (range / (2 * power) >= 4)
            return 2 * power;
        if (range / power >= 4)
            return power;
    }
}

/* Linear axes of y start at 0, and all end with a whole step. */
static struct axis make_axis(double low, double high, bool is_log, bool from_zero)
{
    struct axis axis = {.low = low, .high = high, .step = 1, .is_log = is_log};

    if (is_log) {
        axis.low = floor(log10(low) + 1e-9);
        axis.high = ceil(log10(high) - 1e-9);
        if (axis.high <= axis.low)
            axis.high = axis.low + 1;
        return axis;
    }
    if (from_zero)
        axis.low = 0;
    if (axis.high <= axis.low)
        axis.high = axis.low + 1;
    axis.step = from_zero ? choose_step(axis.high - axis.low) : 1;
    axis.high = ceil(axis.high / axis.step - 1e-9) * axis.step;
    return axis;
}

static void find_axes(struct drawing *d)
{
    double left = INFINITY, right = -INFINITY, bottom = INFINITY, top = -INFINITY;

    for (size_t i = 0; i < d->chart->count; i++) {
        const struct chart_line *line = &d->chart->line[i];
        for (size_t k = 0; k < line->count; k++) {
            left = fmin(left, line->x[k]);
            right = fmax(right, line->x[k]);
            bottom = fmin(bottom, line->low[k]);
            top = fmax(top, line->high[k]);
        }
    }
    d->x = make_axis(left, right, d->chart->is_log_x, false);
    d->y = make_axis(bottom, top, d->chart->is_log_y, true);
}

/* 1000 as 1 k, 2000000 as 2 M. */
static void format_value(double value, char text[32])
{
    static const struct {
        double unit;
        const char *sign;
    } units[] = {{1e9, " G"}, {1e6, " M"}, {1e3, " k"}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (value >= units[i].unit) {
            snprintf(text, 32, "%.4g%s", value / units[i].unit, units[i].sign);
            return;
        }
    snprintf(text, 32, "%.4g", value);
}

static void write_text(cairo_t *cairo, const char *text, double x, double y, double align)
{
    cairo_text_extents_t extents;

    cairo_text_extents(cairo, text, &extents);
    cairo_move_to(cairo, x - align * extents.x_advance, y);
    cairo_show_text(cairo, text);
}

static void draw_ticks(const struct drawing *d)
{
    cairo_t *cairo = d->cairo;
    double bottom = d->plot.y + d->plot.height, right = d->plot.x + d->plot.width;
    char text[32];

    for (double at = d->x.low; at <= d->x.high + 1e-9; at += d->x.step) {
        double value = d->x.is_log ? pow(10, at) : at, x = place_x(d, value);
        cairo_set_source_rgb(cairo, 0.2, 0.2, 0.2);
        cairo_move_to(cairo, x, bottom);
        cairo_line_to(cairo, x, bottom + TICK);
        cairo_stroke(cairo);
        format_value(value, text);
        write_text(cairo, text, x, bottom + TICK + TEXT_SIZE, 0.5);
    }
    for (double at = d->y.low; at <= d->y.high + 1e-9; at += d->y.step) {
        double value = d->y.is_log ? pow(10, at) : at, y = place_y(d, value);
        cairo_set_source_rgb(cairo, 0.88, 0.88, 0.88);
        cairo_move_to(cairo, d->plot.x, y);
        cairo_line_to(cairo, right, y);
        cairo_stroke(cairo);
        cairo_set_source_rgb(cairo, 0.2, 0.2, 0.2);
        format_value(value, text);
        write_text(cairo, text, d->plot.x - TICK, y + TEXT_SIZE / 3, 1);
    }
}

static void draw_frame(const struct drawing *d, const struct chart_box *box)
{
    cairo_t *cairo = d->cairo;

    cairo_set_line_width(cairo, 1);
    cairo_set_font_size(cairo, TEXT_SIZE);
    draw_ticks(d);
    write_text(cairo, d->chart->x_title, d->plot.x + d->plot.width / 2,
               box->y + box->height - TEXT_SIZE / 2, 0.5);
    cairo_rectangle(cairo, d->plot.x, d->plot.y, d->plot.width, d->plot.height);
    cairo_stroke(cairo);
    cairo_set_font_size(cairo, TITLE_SIZE);
    write_text(cairo, d->chart->title, d->plot.x, box->y + TITLE_SIZE + 2, 0);
    cairo_set_font_size(cairo, TEXT_SIZE);
}

/* --- lines ------------------------------------------------------------------------- */

static void draw_whiskers(const struct drawing *d, const struct chart_line *line)
{
    cairo_set_line_width(d->cairo, 1);
    for (size_t i = 0; i < line->count; i++) {
        double x = place_x(d, line->x[i]);
        cairo_move_to(d->cairo, x, place_y(d, line->low[i]));
        cairo_line_to(d->cairo, x, place_y(d, line->high[i]));
        cairo_stroke(d->cairo);
    }
}

static void draw_line(const struct drawing *d, const struct chart_line *line)
{
    static const double dashes[] = {5, 3};
    cairo_t *cairo = d->cairo;

    cairo_set_source_rgb(cairo, line->red, line->green, line->blue);
    draw_whiskers(d, line);
    cairo_set_line_width(cairo, 1.8);
    cairo_set_dash(cairo, dashes, line->is_dashed ? 2 : 0, 0);
    for (size_t i = 0; i < line->count; i++)
        cairo_line_to(cairo, place_x(d, line->x[i]), place_y(d, line->y[i]));
    cairo_stroke(cairo);
    cairo_set_dash(cairo, NULL, 0, 0);
    for (size_t i = 0; i < line->count; i++) {
        cairo_arc(cairo, place_x(d, line->x[i]), place_y(d, line->y[i]), DOT, 0, 2 * M_PI);
        cairo_fill(cairo);
    }
}

/* The labels above the plot, side by side, each behind a stroke of its line. */
static void draw_legend(const struct drawing *d)
{
    double x = d->plot.x, y = d->plot.y - TEXT_SIZE / 2;
    cairo_text_extents_t extents;
    static const double stroke = 16, gap = 4;

    for (size_t i = 0; d->chart->count > 1 && i < d->chart->count; i++) {
        const struct chart_line *line = &d->chart->line[i];
        cairo_set_source_rgb(d->cairo, line->red, line->green, line->blue);
        cairo_set_line_width(d->cairo, 2);
        cairo_move_to(d->cairo, x, y - TEXT_SIZE / 3);
        cairo_line_to(d->cairo, x + stroke, y - TEXT_SIZE / 3);
        cairo_stroke(d->cairo);
        cairo_set_source_rgb(d->cairo, 0.2, 0.2, 0.2);
        write_text(d->cairo, line->label, x + stroke + gap, y, 0);
        cairo_text_extents(d->cairo, line->label, &extents);
        x += stroke + extents.x_advance + 4 * gap;
    }
}

void chart_draw(cairo_t *cairo, const struct chart *chart, const struct chart_box *box)
{
    struct drawing d = {.cairo = cairo,
                        .chart = chart,
                        .plot = {box->x + MARGIN_LEFT, box->y + MARGIN_TOP,
                                 box->width - MARGIN_LEFT - MARGIN_RIGHT,
                                 box->height - MARGIN_TOP - MARGIN_BOTTOM}};

    find_axes(&d);
    draw_frame(&d, box);
    draw_legend(&d);
    for (size_t i = 0; i < chart->count; i++)
        draw_line(&d, &chart->line[i]);
}

#endif
