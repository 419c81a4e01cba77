#include "tools/top_frame.h"

#include "server/statistics/explain.h"
#include "server/statistics/kinds.h"
#include "server/statistics/members.h"
#include "server/statistics/tally.h"
#include "server/statistics/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where things are. The bar takes what the columns leave. */
enum {
    HEAD_ROWS = 4, /* title, totals, a line, heads of columns */
    FIXED_WIDTH = 60,
    BAR_MIN = 8,
    BAR_COLUMN = 15,
    KINDS_ROWS = 2,
};

struct totals {
    const json_t *change; /* of the counters, in `seconds` */
    double seconds;
    double queries; /* of all workers, in this time, as are drops */
    double drops;
    double most; /* of one worker */
    size_t workers, serving;
};

/* --- numbers of a worker ----------------------------------------------------------- */

/* Of a worker's sockets of all addresses. */
struct socket_figures {
    double drops;
    double fullest; /* queue, as a part of its room */
};

static struct socket_figures look_at_sockets(const json_t *stats, double worker)
{
    struct socket_figures figures = {0};
    size_t i, j;
    json_t *group, *socket;

    json_array_foreach(json_object_get(stats, "groups"), i, group)
    {
        json_array_foreach(json_object_get(group, "sockets"), j, socket)
        {
            double room = members_number(socket, "queue_max");
            if (members_number(socket, "worker") != worker)
                continue;
            figures.drops += members_number(socket, "drops");
            if (room > 0)
                figures.fullest = fmax(figures.fullest, members_number(socket, "queue") / room);
        }
    }
    return figures;
}

static struct totals count(const json_t *change, double seconds)
{
    const json_t *workers = json_object_get(change, "workers");
    struct totals totals = {
        .change = change, .seconds = seconds, .workers = json_array_size(workers)};
    size_t i;
    json_t *worker;

    json_array_foreach(workers, i, worker)
    {
        double queries = members_sum(json_object_get(worker, "queries"));
        totals.queries += queries;
        totals.most = fmax(totals.most, queries);
        totals.drops += look_at_sockets(change, members_number(worker, "worker")).drops;
        totals.serving += strcmp(members_text(worker, "state"), "serving") == 0;
    }
    return totals;
}

/* --- the parts ---------------------------------------------------------------------- */

static void draw_title(const struct top_frame *frame, struct canvas *canvas)
{
    const json_t *stats = frame->stats;
    char up[WORDS_MAX];

    int column =
        canvas_print(canvas, 0, 0, CANVAS_STRONG, "sorreld %s", members_text(stats, "version"));
    column = canvas_print(canvas, 0, column, CANVAS_PLAIN, ", process %.0f, up %s",
                          members_number(stats, "pid"),
                          words_duration((long long)members_number(stats, "uptime"), up));
    if (frame->interval <= 0)
        return;
    char keys[WORDS_MAX];
    int length = snprintf(keys, sizeof keys, "every %.4g s  + - change  q quit", frame->interval);
    if (column + 2 + length <= canvas->width)
        canvas_print(canvas, 0, canvas->width - length, CANVAS_QUIET, "%s", keys);
}

static void draw_totals(const struct top_frame *frame, const struct totals *totals,
                        struct canvas *canvas)
{
    const json_t *steering = json_object_get(frame->stats, "steering");
    const char *effective = members_text(steering, "effective");
    const char *policy = members_text(steering, "policy");
    double drops = totals->drops / totals->seconds;
    char text[WORDS_MAX];

    int column = canvas_print(canvas, 1, 0, CANVAS_STRONG, "%s queries/s",
                              words_number(totals->queries / totals->seconds, text));
    column = canvas_print(canvas, 1, column, CANVAS_PLAIN, ", steering %s",
                          *effective != '\0' ? effective : policy);
    column = canvas_print(canvas, 1, column, CANVAS_PLAIN, ", %zu of %zu workers serve, ",
                          totals->serving, totals->workers);
    canvas_print(canvas, 1, column, drops > 0 ? CANVAS_ALARM : CANVAS_PLAIN, "%s dropped/s",
                 words_number(drops, text));
}

static int bar_width(const struct canvas *canvas)
{
    int width = canvas->width - FIXED_WIDTH;

    return width > BAR_MIN ? width : BAR_MIN;
}

static void draw_heads(struct canvas *canvas)
{
    int column = BAR_COLUMN + bar_width(canvas);

    canvas_print(canvas, 3, 0, CANVAS_TITLE, "%-*s%10s %6s %9s %6s %-9s", column, "worker   share",
                 "queries/s", "queue", "dropped/s", "batch", " state");
}

/* `share` of the whole bar is full. */
static void draw_bar(struct canvas *canvas, int row, double share, bool is_hot)
{
    int width = bar_width(canvas), full = (int)(share * width + 0.5);

    for (int i = 0; i < width; i++)
        canvas_print(canvas, row, BAR_COLUMN + i,
                     i >= full ? CANVAS_QUIET
                     : is_hot  ? CANVAS_HOT
                               : CANVAS_BAR,
                     i < full ? "#" : ".");
}

static void draw_worker(const struct totals *totals, const json_t *worker, int row,
                        struct canvas *canvas)
{
    double number = members_number(worker, "worker");
    double queries = members_sum(json_object_get(worker, "queries"));
    const json_t *kinds = json_object_get(worker, "queries");
    double udp = members_number(kinds, "udp4") + members_number(kinds, "udp6");
    double batches = members_number(worker, "batches");
    struct socket_figures sockets = look_at_sockets(totals->change, number);
    double drops = sockets.drops / totals->seconds, queue = sockets.fullest;
    const char *state = members_text(worker, "state");
    bool serves = strcmp(state, "serving") == 0;
    int column = BAR_COLUMN + bar_width(canvas);
    char text[WORDS_MAX];

    canvas_print(canvas, row, 0, CANVAS_PLAIN, "%6.0f %6.1f%%", number,
                 totals->queries > 0 ? queries / totals->queries * 100 : 0);
    draw_bar(canvas, row, totals->queries > 0 ? queries / totals->queries : 0,
             drops > 0 || queue > 0.5);
    column = canvas_print(canvas, row, column, CANVAS_PLAIN, "%10s",
                          words_number(queries / totals->seconds, text));
    column = canvas_print(canvas, row, column, queue > 0.5 ? CANVAS_ALARM : CANVAS_PLAIN,
                          " %5.0f%%", queue * 100);
    column = canvas_print(canvas, row, column, drops > 0 ? CANVAS_ALARM : CANVAS_PLAIN, " %9s",
                          words_number(drops, text));
    snprintf(text, sizeof text, batches > 0 ? "%.1f" : "-", batches > 0 ? udp / batches : 0);
    column = canvas_print(canvas, row, column, CANVAS_PLAIN, " %6s", text);
    canvas_print(canvas, row, column, serves ? CANVAS_QUIET : CANVAS_ALARM, "  %s", state);
}

/* --- kinds of queries and answers ------------------------------------------------------ */

/* The most frequent ones, as many as there is room for. */
static void draw_kinds(const char *label, const json_t *counts, int row, struct canvas *canvas)
{
    struct kind *kinds;
    size_t count = kinds_sort(counts, &kinds);
    double sum = members_sum(counts);
    int column = canvas_print(canvas, row, 0, CANVAS_QUIET, "%-9s", label);

    for (size_t i = 0; i < count; i++) {
        char share[WORDS_MAX], text[2 * WORDS_MAX];
        int length = snprintf(text, sizeof text, "%s %s", kinds[i].name,
                              words_share(kinds[i].count / sum, share));
        if (column + length > canvas->width)
            break;
        column = canvas_print(canvas, row, column, CANVAS_PLAIN, "%s", text) + 2;
    }
    free(kinds);
}

static int draw_all_kinds(const json_t *change, int row, struct canvas *canvas)
{
    json_t *total = tally_total(change);

    draw_kinds("types", json_object_get(total, "qtypes"), row, canvas);
    draw_kinds("answers", json_object_get(total, "rcodes"), row + 1, canvas);
    json_decref(total);
    return row + KINDS_ROWS;
}

/* --- findings ------------------------------------------------------------------------ */

/* Draws those that are not fine; returns the row below. */
static int draw_findings(const json_t *findings, const char *address, int row,
                         struct canvas *canvas)
{
    size_t i;
    json_t *finding;
    char *text;

    json_array_foreach(findings, i, finding)
    {
        const char *level = members_text(finding, "level");
        const char *advice = members_text(finding, "advice");
        bool is_problem = strcmp(level, "problem") == 0;
        if (strcmp(level, "fine") == 0)
            continue;
        if (asprintf(&text, "%s%s%s%s%s", address, *address != '\0' ? ": " : "",
                     members_text(finding, "sentence"), *advice != '\0' ? " Try: " : "",
                     advice) < 0)
            continue;
        canvas_print(canvas, row, 0, is_problem ? CANVAS_ALARM : CANVAS_PLAIN,
                     is_problem ? "!" : "-");
        row = canvas_wrap(canvas, row, 2, canvas->width, CANVAS_PLAIN, text);
        free(text);
    }
    return row;
}

/* What there is to say, if there is something; the row below. */
static int draw_explanation(const struct top_frame *frame, int row, struct canvas *canvas)
{
    json_t *explanation = explain(frame->stats);
    const json_t *groups = json_object_get(explanation, "groups");
    size_t i;
    json_t *group;

    row = draw_findings(json_object_get(explanation, "findings"), "", row, canvas);
    json_array_foreach(groups, i, group)
    {
        bool is_now = members_number(group, "ago") < 3;
        if (is_now)
            row = draw_findings(json_object_get(group, "findings"),
                                json_array_size(groups) > 1 ? members_text(group, "address") : "",
                                row, canvas);
    }
    json_decref(explanation);
    return row;
}

/* --- a frame ------------------------------------------------------------------------- */

/* Rows that the findings take on a canvas of this width. */
static int count_findings(const struct top_frame *frame, int width)
{
    enum { ROWS_MAX = 100 };
    struct canvas canvas;

    canvas_open(&canvas, width, ROWS_MAX);
    int rows = draw_explanation(frame, 0, &canvas);
    canvas_close(&canvas);
    return rows;
}

int top_frame_height(const struct top_frame *frame)
{
    int workers = (int)json_array_size(json_object_get(frame->stats, "workers"));
    int findings = count_findings(frame, TOP_FRAME_WIDTH);

    return HEAD_ROWS + workers + 1 + KINDS_ROWS + (findings > 0 ? 1 + findings : 0) +
           (frame->message != NULL ? 1 : 0);
}

/* How the room below the heads is used: workers come first, but for a third if there is something
 * to say about them; kinds get what is left. */
struct layout {
    int workers, hidden, findings;
    bool has_kinds;
};

static struct layout lay_out(const struct top_frame *frame, const struct canvas *canvas,
                             int workers)
{
    int room = canvas->height - HEAD_ROWS - (frame->message != NULL ? 1 : 0);
    int findings = count_findings(frame, canvas->width);
    int needed = findings == 0 ? 0 : findings + 1 < room / 3 ? findings + 1 : room / 3;
    struct layout layout = {.workers = workers, .findings = needed};

    if (workers > room - needed) {
        int rows = room - needed - 1;
        layout.workers = rows > 1 ? rows : 1;
        layout.hidden = workers - layout.workers;
    }
    layout.has_kinds = room - needed - layout.workers > KINDS_ROWS;
    return layout;
}

static void draw_workers(const struct top_frame *frame, const struct totals *totals,
                         struct canvas *canvas)
{
    const json_t *workers = json_object_get(totals->change, "workers");
    struct layout layout = lay_out(frame, canvas, (int)json_array_size(workers));
    int first = frame->first < layout.hidden ? frame->first : layout.hidden;
    int row = HEAD_ROWS;

    for (int i = 0; i < layout.workers; i++)
        draw_worker(totals, json_array_get(workers, (size_t)first + (size_t)i), row++, canvas);
    if (layout.hidden > 0)
        canvas_print(canvas, row++, 0, CANVAS_QUIET, "and %d more: arrow keys show them",
                     layout.hidden);
    if (layout.has_kinds)
        row = draw_all_kinds(totals->change, row + 1, canvas);
    draw_explanation(frame, row + 1, canvas);
}

/* At the bottom, over whatever is there. */
static void draw_message(const char *message, struct canvas *canvas)
{
    int row = canvas->height - 1;
    bool is_long = (int)strlen(message) > canvas->width;

    for (int i = row - is_long; i <= row; i++)
        canvas_print(canvas, i, 0, CANVAS_PLAIN, "%*s", canvas->width, "");
    canvas_wrap(canvas, row - is_long, 0, canvas->width, CANVAS_ALARM, message);
}

void top_frame_draw(const struct top_frame *frame, struct canvas *canvas)
{
    double seconds = frame->stats != NULL ? tally_seconds(frame->stats, frame->earlier) : 0;

    if (frame->stats != NULL) {
        json_t *change = seconds > 0 ? tally_change(frame->stats, frame->earlier)
                                     : tally_change(frame->stats, frame->stats);
        struct totals totals = count(change, seconds > 0 ? seconds : 1);
        draw_title(frame, canvas);
        draw_totals(frame, &totals, canvas);
        draw_heads(canvas);
        draw_workers(frame, &totals, canvas);
        json_decref(change);
    }
    if (frame->message != NULL)
        draw_message(frame->message, canvas);
}
