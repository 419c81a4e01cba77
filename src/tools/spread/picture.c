#include "tools/spread/picture.h"

#include "tools/spread/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* All lengths in points. */
static const double margin = 24, heading = 76, column_heading = 26, foot = 92, label_width = 112;
static const double panel_width = 232, panel_gap = 26, row_gap = 34;
static const double worker_width = 16, value_width = 44;
static const double bar_most = 15, bars_most = 180; /* one bar, and all of a panel */

struct colour {
    double red, green, blue;
};

static const struct colour paper = {1, 1, 1}, ink = {0.13, 0.13, 0.15}, faint = {0.42, 0.42, 0.45},
                           line = {0.86, 0.86, 0.88}, bar = {0.49, 0.65, 0.80},
                           busiest_bar = {0.12, 0.33, 0.55}, chance = {0.96, 0.87, 0.68};

/* Where a panel's bars are drawn. */
struct panel {
    double x, y, width, height;
};

static void set_colour(cairo_t *cairo, const struct colour *colour)
{
    cairo_set_source_rgb(cairo, colour->red, colour->green, colour->blue);
}

static void set_font(cairo_t *cairo, double size, bool bold)
{
    cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, size);
}

/* `align`: how much of the text is left of x, 0 to 1. */
static void put_text(cairo_t *cairo, double x, double y, double align, const char *text)
{
    cairo_text_extents_t extents;

    cairo_text_extents(cairo, text, &extents);
    cairo_move_to(cairo, x - align * extents.x_advance, y);
    cairo_show_text(cairo, text);
}

static void fill_box(cairo_t *cairo, const struct colour *colour, double x, double y, double width,
                     double height)
{
    set_colour(cairo, colour);
    cairo_rectangle(cairo, x, y, width, height);
    cairo_fill(cairo);
}

static void draw_line(cairo_t *cairo, double x, double y, double to_x, double to_y)
{
    cairo_move_to(cairo, x, y);
    cairo_line_to(cairo, to_x, to_y);
    cairo_stroke(cairo);
}

static void draw_dashed(cairo_t *cairo, double x, double y, double to_x, double to_y)
{
    const double dashes[] = {4, 3};

    set_colour(cairo, &ink);
    cairo_set_line_width(cairo, 1.2);
    cairo_set_dash(cairo, dashes, 2, 0);
    draw_line(cairo, x, y, to_x, to_y);
    cairo_set_dash(cairo, NULL, 0, 0);
}

/* --- where things are ---------------------------------------------------------------- */

static unsigned most_workers(const struct cells *cells)
{
    unsigned most = 1;

    for (size_t i = 0; i < cells->count; i++)
        most = cells->items[i].workers > most ? cells->items[i].workers : most;
    return most;
}

static double panel_height(const struct cells *cells)
{
    return fmin(bar_most * most_workers(cells), bars_most);
}

/* The place of cell `i` among those of its policy; that of its policy among policies. */
static void place_of(const struct cells *cells, size_t i, size_t *row, size_t *column)
{
    *row = *column = 0;
    for (size_t j = 1; j <= i; j++) {
        bool same = cells->items[j].policy == cells->items[j - 1].policy;
        *column = same ? *column + 1 : 0;
        *row += !same;
    }
}

struct picture_size picture_measure(const struct cells *cells)
{
    size_t rows = 0, columns = 0;

    for (size_t i = 0; i < cells->count; i++) {
        size_t row, column;
        place_of(cells, i, &row, &column);
        rows = row + 1 > rows ? row + 1 : rows;
        columns = column + 1 > columns ? column + 1 : columns;
    }
    double grid = (double)columns * (panel_width + panel_gap) - panel_gap;
    struct picture_size size = {
        .width = fmax(2 * margin + label_width + grid, 640),
        .height = margin + heading + column_heading +
                  (double)rows * (panel_height(cells) + row_gap) + foot,
    };
    return size;
}

static struct panel panel_at(const struct cells *cells, size_t row, size_t column)
{
    double height = panel_height(cells);

    return (struct panel){
        .x = margin + label_width + (double)column * (panel_width + panel_gap) + worker_width,
        .y = margin + heading + column_heading + (double)row * (height + row_gap),
        .width = panel_width - worker_width - value_width,
        .height = height,
    };
}

/* --- a panel ------------------------------------------------------------------------- */

static void draw_grid(cairo_t *cairo, const struct panel *panel)
{
    char text[16];

    cairo_set_line_width(cairo, 1);
    set_font(cairo, 9, false);
    for (int percent = 0; percent <= 100; percent += 25) {
        double x = panel->x + panel->width * percent / 100;
        set_colour(cairo, &line);
        draw_line(cairo, x, panel->y - 2, x, panel->y + panel->height + 2);
        set_colour(cairo, &faint);
        snprintf(text, sizeof text, percent == 100 ? "%d %%" : "%d", percent);
        put_text(cairo, x, panel->y + panel->height + 13, 0.5, text);
    }
}

static void draw_chance(cairo_t *cairo, const struct panel *panel, const struct figures *figures,
                        unsigned workers)
{
    double low = panel->width * figures->low / workers;
    double width = panel->width * figures->high / workers - low;

    /* A band that is a line would not be seen. */
    fill_box(cairo, &chance, panel->x + low - (width < 3 ? 1.5 : 0), panel->y - 2, fmax(width, 3),
             panel->height + 4);
}

static unsigned busiest_of(const struct cell *cell)
{
    unsigned busiest = 0;

    for (unsigned i = 1; i < cell->workers; i++)
        if (cell->tally.workers[i] > cell->tally.workers[busiest])
            busiest = i;
    return busiest;
}

static void draw_bar(cairo_t *cairo, const struct panel *panel, const struct cell *cell,
                     unsigned worker)
{
    double height = panel->height / cell->workers;
    double y = panel->y + worker * height;
    double share = cell_share(cell, worker);
    double padding = height > 4 ? height * 0.12 : 0;
    char text[16];

    fill_box(cairo, worker == busiest_of(cell) ? &busiest_bar : &bar, panel->x, y + padding,
             panel->width * share, height - 2 * padding);
    if (height < 9)
        return; /* no room for text */
    set_font(cairo, 9.5, false);
    set_colour(cairo, &faint);
    snprintf(text, sizeof text, "%u", worker);
    put_text(cairo, panel->x - 5, y + height / 2 + 3.5, 1, text);
    set_colour(cairo, &ink);
    snprintf(text, sizeof text, "%.1f", 100 * share);
    put_text(cairo, panel->x + panel->width + value_width - 8, y + height / 2 + 3.5, 1, text);
}

static void draw_panel(cairo_t *cairo, const struct panel *panel, const struct cells *cells,
                       const struct cell *cell)
{
    struct figures figures = cell_figures(cells, cell);
    double even = panel->x + panel->width / cell->workers;

    draw_grid(cairo, panel);
    if (figures.has_band)
        draw_chance(cairo, panel, &figures, cell->workers);
    for (unsigned i = 0; i < cell->workers; i++)
        draw_bar(cairo, panel, cell, i);
    draw_dashed(cairo, even, panel->y - 5, even, panel->y + panel->height + 2);
}

/* --- around the panels ----------------------------------------------------------------- */

static const char *what_decides(const struct cells *cells, const struct policy *policy)
{
    switch (policy_ball(policy, cells->tcp)) {
    case POLICY_FLOWS:
        return cells->tcp ? "per connection" : "per flow";
    case POLICY_QUERIES:
        return "per query";
    case POLICY_CPUS:
        return "per CPU";
    case POLICY_WAITERS:
        return "who is quickest";
    }
    return "";
}

static void draw_labels(cairo_t *cairo, const struct cells *cells)
{
    char text[64];

    for (size_t i = 0; i < cells->count; i++) {
        const struct cell *cell = &cells->items[i];
        size_t row, column;
        place_of(cells, i, &row, &column);
        struct panel panel = panel_at(cells, row, column);
        set_colour(cairo, &ink);
        if (row == 0) {
            set_font(cairo, 12, true);
            snprintf(text, sizeof text, "%u %s%s", cell->flows, cells->tcp ? "connection" : "flow",
                     cell->flows == 1 ? "" : "s");
            put_text(cairo, panel.x, panel.y - 12, 0, text);
        }
        if (row == 0 && column == 0) {
            set_font(cairo, 9, false);
            set_colour(cairo, &faint);
            put_text(cairo, panel.x - 5, panel.y - 3, 1, "worker");
            set_colour(cairo, &ink);
        }
        if (column == 0) {
            set_font(cairo, 13, true);
            put_text(cairo, margin, panel.y + 13, 0, cell->policy->name);
            set_font(cairo, 10.5, false);
            set_colour(cairo, &faint);
            put_text(cairo, margin, panel.y + 28, 0, what_decides(cells, cell->policy));
        }
    }
}

static void draw_heading(cairo_t *cairo, const struct cells *cells)
{
    char text[160], queries[NUMBER_MAX];

    set_colour(cairo, &ink);
    set_font(cairo, 18, true);
    put_text(cairo, margin, margin + 16, 0, "Which worker gets the queries?");
    set_font(cairo, 12, false);
    set_colour(cairo, &faint);
    snprintf(text, sizeof text,
             "Each panel: up to %s queries over %s to %u workers; percent of the answers that "
             "each of them gave.",
             number_thousands((double)cells->queries, queries), cells->tcp ? "TCP" : "UDP",
             most_workers(cells));
    put_text(cairo, margin, margin + 38, 0, text);
}

static void draw_legend(cairo_t *cairo, const struct picture_size *size)
{
    double x = margin, y = size->height - foot + 26;
    char text[128];

    fill_box(cairo, &busiest_bar, x, y - 9, 22, 10);
    set_font(cairo, 11, false);
    set_colour(cairo, &ink);
    put_text(cairo, x + 30, y, 0, "the busiest worker");
    fill_box(cairo, &bar, x + 170, y - 9, 22, 10);
    set_colour(cairo, &ink);
    put_text(cairo, x + 200, y, 0, "the others");
    draw_dashed(cairo, x + 300, y - 4, x + 322, y - 4);
    put_text(cairo, x + 330, y, 0, "an even split");
    y += 22;
    fill_box(cairo, &chance, x, y - 9, 22, 10);
    set_colour(cairo, &ink);
    snprintf(text, sizeof text,
             "where the busiest worker's bar ends, %g times in 100, if chance decides",
             100 * BAND_CONFIDENCE);
    put_text(cairo, x + 30, y, 0, text);
}

void picture_draw(cairo_t *cairo, const struct picture_size *size, const struct cells *cells)
{
    fill_box(cairo, &paper, 0, 0, size->width, size->height);
    draw_heading(cairo, cells);
    draw_labels(cairo, cells);
    for (size_t i = 0; i < cells->count; i++) {
        size_t row, column;
        place_of(cells, i, &row, &column);
        struct panel panel = panel_at(cells, row, column);
        draw_panel(cairo, &panel, cells, &cells->items[i]);
    }
    draw_legend(cairo, size);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_ADDRESS_SANITIZER
#endif

#ifdef HAS_ADDRESS_SANITIZER
/* fontconfig, which cairo asks for fonts, keeps pointers as offsets: to AddressSanitizer what they
 * lead to looks lost. It calls this function if there is one. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig.so";
}
#endif
