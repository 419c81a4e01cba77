/*
 * Draws what `scale` has measured:
 *
 *   plot SCALE.json PICTURE.svg|PICTURE.png ...
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef HAVE_CAIRO

#include "chart.h"

#include <cairo-svg.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

enum { COLUMNS = 3, ROWS = 4, WIDTH = 360, HEIGHT = 230, TOP = 34, GAP = 6 };

static const struct chart_line ours = {.red = 0.75, .green = 0.25, .blue = 0.10};
static const struct chart_line floor_line = {
    .red = 0.35, .green = 0.45, .blue = 0.60, .is_dashed = true};

_Noreturn static void fail(const char *what, const char *why)
{
    fprintf(stderr, "plot: %s: %s\n", what, why);
    exit(1);
}

/* --- from JSON ---------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Median, least and most of a number or of an array of them; false if there are none. */
static bool read_figures(const json_t *json, double *median, double *least, double *most)
{
    double value[64];
    size_t count = json_array_size(json), i;
    const json_t *item;

    if (json_is_number(json)) {
        *median = *least = *most = json_number_value(json);
        return true;
    }
    if (count == 0 || count > sizeof value / sizeof *value)
        return false;
    json_array_foreach(json, i, item) value[i] = json_number_value(item);
    qsort(value, count, sizeof *value, compare);
    *least = value[0];
    *most = value[count - 1];
    *median = value[count / 2];
    return true;
}

/* Adds a point to `line`: `key`, and `plus` if not NULL, of the point `json`, times `factor`. */
static void add_point(struct chart_line *line, const json_t *json, const char *key,
                      const char *plus, double factor)
{
    double median, least, most, more = 0, lower, upper;
    size_t i = line->count;

    if (i == CHART_POINTS_MAX || !read_figures(json_object_get(json, key), &median, &least, &most))
        return;
    if (plus != NULL && !read_figures(json_object_get(json, plus), &more, &lower, &upper))
        return;
    line->x[i] = json_number_value(json_object_get(json, "x"));
    line->y[i] = (median + more) * factor;
    line->low[i] = (least + more) * factor;
    line->high[i] = (most + more) * factor;
    if (line->low[i] > 0)
        line->count++;
}

static void add_line(struct chart *chart, const struct chart_line *look, const char *label,
                     const json_t *points, const char *key, const char *plus, double factor)
{
    struct chart_line *line = &chart->line[chart->count];
    const json_t *point;
    size_t i;

    *line = *look;
    line->label = label;
    json_array_foreach(points, i, point) add_point(line, point, key, plus, factor);
    if (line->count > 0)
        chart->count++;
}

/* --- the picture ---------------------------------------------------------------------- */

static void draw_chart(cairo_t *cairo, const struct chart *chart, size_t column, size_t row)
{
    const struct chart_box box = {(double)column * WIDTH, TOP + (double)row * (HEIGHT + GAP), WIDTH,
                                  HEIGHT};

    if (chart->count > 0)
        chart_draw(cairo, chart, &box);
}

static struct chart make_chart(const json_t *series, const char *title, bool is_log_y)
{
    bool counts_up = strcmp(json_string_value(json_object_get(series, "name")), "workers") == 0;

    return (struct chart){.title = title,
                          .x_title = json_string_value(json_object_get(series, "unit")),
                          .is_log_x = !counts_up,
                          .is_log_y = is_log_y && !counts_up};
}

static void draw_series(cairo_t *cairo, const json_t *series, size_t column)
{
    const json_t *points = json_object_get(series, "points");
    struct chart user = make_chart(series, "user CPU time, ns a query", false);
    struct chart all = make_chart(series, "user and kernel CPU time, ns a query", false);
    struct chart load = make_chart(series, "start to first answer, s", true);
    struct chart memory = make_chart(series, "memory, MB", true);

    add_line(&user, &ours, "sorreld", points, "user_ns", NULL, 1);
    add_line(&all, &ours, "sorreld", points, "kernel_ns", "user_ns", 1);
    add_line(&all, &floor_line, "null responder", points, "null_ns", NULL, 1);
    add_line(&load, &ours, "sorreld", points, "start_seconds", NULL, 1);
    add_line(&memory, &ours, "served", points, "memory_kib", NULL, 1.0 / 1024);
    add_line(&memory, &floor_line, "peak while loading", points, "peak_kib", NULL, 1.0 / 1024);
    draw_chart(cairo, &user, column, 0);
    draw_chart(cairo, &all, column, 1);
    draw_chart(cairo, &load, column, 2);
    draw_chart(cairo, &memory, column, 3);
}

static void draw_all(cairo_t *cairo, const json_t *document)
{
    const json_t *machine = json_object_get(document, "machine"), *series;
    char title[256];
    size_t i;

    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, 14);
    cairo_set_source_rgb(cairo, 0, 0, 0);
    cairo_move_to(cairo, 16, 24);
    snprintf(title, sizeof title,
             "sorreld: what a query costs as zones and workers grow  (%s, Linux %s)",
             json_string_value(json_object_get(machine, "processor")),
             json_string_value(json_object_get(machine, "kernel")));
    cairo_show_text(cairo, title);
    json_array_foreach(json_object_get(document, "series"), i, series)
        draw_series(cairo, series, i);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);

    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

static void draw_file(const json_t *document, const char *path)
{
    const int width = COLUMNS * WIDTH, height = TOP + ROWS * (HEIGHT + GAP);
    bool is_png = ends_with(path, ".png");
    cairo_surface_t *surface = is_png
                                   ? cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height)
                                   : cairo_svg_surface_create(path, width, height);
    cairo_t *cairo = cairo_create(surface);

    draw_all(cairo, document);
    cairo_status_t status = cairo_status(cairo);
    cairo_destroy(cairo);
    if (status == CAIRO_STATUS_SUCCESS && is_png)
        status = cairo_surface_write_to_png(surface, path);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS)
        fail(path, cairo_status_to_string(status));
}

/* For LeakSanitizer, if it is there: fontconfig keeps what it has read until the end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig.so";
}

int main(int argc, char **argv)
{
    json_error_t error;

    if (argc < 3) {
        fputs("usage: plot SCALE.json PICTURE.svg|PICTURE.png ...\n", stderr);
        return 2;
    }
    json_t *document = json_load_file(argv[1], 0, &error);
    if (document == NULL)
        fail(argv[1], error.text);
    if (json_array_size(json_object_get(document, "series")) == 0)
        fail(argv[1], "there are no series in it, as `scale` writes them");
    for (int i = 2; i < argc; i++)
        draw_file(document, argv[i]);
    json_decref(document);
    return 0;
}

#else

int main(void)
{
    fputs("plot: built without cairo (on Debian: apt-get install libcairo2-dev)\n", stderr);
    return 77;
}

#endif
