#include "tools/spread/screen.h"

#include "tools/spread/bar.h"
#include "tools/spread/number.h"

#include <string.h>

enum { WORKERS_A_ROW = 4, BAR = 8, BAR_OF_MANY = 6 };

/* Many workers need room for a column that numbers them. */
static int bar_width(unsigned workers)
{
    return workers > WORKERS_A_ROW ? BAR_OF_MANY : BAR;
}

/* --- bars ---------------------------------------------------------------------------- */

/* "worker 0", or with many workers a column for each fourth of them. */
static void print_heading(unsigned workers, FILE *out)
{
    fputs("policy  flows", out);
    if (workers > WORKERS_A_ROW)
        fputs("  worker", out);
    for (unsigned i = 0; i < WORKERS_A_ROW && i < workers; i++) {
        char name[NUMBER_MAX];
        snprintf(name, sizeof name, workers > WORKERS_A_ROW ? "+%u" : "worker %u", i);
        bool last = i + 1 == WORKERS_A_ROW || i + 1 == workers;
        fprintf(out, "  %-*s", last ? 0 : bar_width(workers) + 6, name);
    }
    fputc('\n', out);
}

void screen_begin(const struct cells *cells, unsigned workers, FILE *out)
{
    char queries[NUMBER_MAX];

    fprintf(out,
            "%s\n"
            "%s queries over %s in each row, at most %d under way at a time\n"
            "Bars: percent of the answers that each worker gave\n\n",
            cells->server, number_thousands((double)cells->queries, queries),
            cells->tcp ? "TCP" : "UDP", TRAFFIC_WINDOW);
    print_heading(workers, out);
}

void screen_bars(const struct cell *cell, FILE *out)
{
    unsigned width = (unsigned)bar_width(cell->workers);
    bool blocks = bar_has_blocks();
    char bar[BAR_TEXT_MAX];

    for (unsigned first = 0; first < cell->workers; first += WORKERS_A_ROW) {
        if (first == 0)
            fprintf(out, "%-6s  %5u", cell->policy->name, cell->flows);
        else
            fprintf(out, "%13s", "");
        if (cell->workers > WORKERS_A_ROW)
            fprintf(out, "  %6u", first);
        for (unsigned i = first; i < first + WORKERS_A_ROW && i < cell->workers; i++) {
            double share = cell_share(cell, i);
            fprintf(out, "  %s %5.1f", bar_draw(share, width, blocks, bar), 100 * share);
        }
        fputc('\n', out);
    }
}

/* --- figures ------------------------------------------------------------------------- */

static const char *band(const struct figures *figures, char text[NUMBER_MAX])
{
    if (!figures->has_band)
        return "-";
    int digits = figures->high < 10 ? 3 : figures->high < 100 ? 2 : 1;
    snprintf(text, NUMBER_MAX, "%.*f-%.*f", digits, figures->low, digits, figures->high);
    return text;
}

/* Probabilities below a thousandth are all the same to the reader. */
static const char *probability(double p, char text[NUMBER_MAX])
{
    if (p < 0.001)
        return "<.001";
    return number_decimal(p, 3, text);
}

/* Of three digits, and of more before the point. */
static const char *ratio(double value, char text[NUMBER_MAX])
{
    return number_decimal(value, value < 10 ? 3 : value < 100 ? 2 : 1, text);
}

/* Of five characters at most, below 100,000. */
static const char *compact(double value, char text[NUMBER_MAX])
{
    return number_decimal(value, value < 99.995 ? 2 : value < 999.95 ? 1 : 0, text);
}

static void print_figures(const struct cells *cells, const struct cell *cell, FILE *out)
{
    struct figures figures = cell_figures(cells, cell);
    char text[9][NUMBER_MAX];

    fprintf(out, "%-6s %5u %6s %11s %5s  %6s  %6s %5s  %5s %6s %5s\n", cell->policy->name,
            cell->flows, ratio(figures.busiest, text[0]), band(&figures, text[1]),
            probability(figures.even, text[2]), number_decimal(figures.rate / 1000, 1, text[3]),
            compact(figures.median / 1000, text[4]), compact(figures.p99 / 1000, text[5]),
            compact(figures.cpu, text[6]), number_decimal(figures.switches, 3, text[7]),
            number_decimal(figures.empty, 3, text[8]));
}

static void print_losses(const struct cell *cell, FILE *out)
{
    char lost[NUMBER_MAX], sent[NUMBER_MAX];
    const struct traffic_tally *tally = &cell->tally;

    if (tally->lost > 0)
        fprintf(out, "%s, %u flow%s: %s of %s queries were not answered within %g seconds.\n",
                cell->policy->name, cell->flows, cell->flows == 1 ? "" : "s",
                number_thousands((double)tally->lost, lost),
                number_thousands((double)tally->sent, sent), TRAFFIC_PATIENCE_MS / 1000.0);
    if (tally->nameless > 0)
        fprintf(out, "%s, %u flow%s: %s answers did not tell who gave them.\n", cell->policy->name,
                cell->flows, cell->flows == 1 ? "" : "s",
                number_thousands((double)tally->nameless, lost));
}

static void print_cut_short(const struct cells *cells, FILE *out)
{
    size_t cut = 0;
    uint64_t least = cells->queries;

    for (size_t i = 0; i < cells->count; i++) {
        uint64_t sent = cells->items[i].tally.sent;
        cut += sent < cells->queries;
        least = sent < least ? sent : least;
    }
    char number[NUMBER_MAX];
    if (cut > 0)
        fprintf(out, "Time was up before all queries were sent in %zu of %zu rows (at least %s).\n",
                cut, cells->count, number_thousands((double)least, number));
}

/* Which of another server's workers has which number here. */
static void print_names(const struct cells *cells, FILE *out)
{
    char name[ROSTER_NAME_MAX + 1];

    for (unsigned i = 0; cells->roster != NULL && i < cells->roster->count; i++)
        if (roster_name(cells->roster, i, name)[0] != '\0')
            fprintf(out, "worker %u says of itself: %s\n", i, name);
}

void screen_figures(const struct cells *cells, FILE *out)
{
    fprintf(
        out,
        "\n"
        "            busiest   by chance even? answers  after, in ms workers, per answer\n"
        "policy flows  / mean        %2.0f %%     p   k / s  median  99 %%     us switch empty\n",
        100 * BAND_CONFIDENCE);
    for (size_t i = 0; i < cells->count; i++)
        print_figures(cells, &cells->items[i], out);
    fputc('\n', out);
    print_names(cells, out);
    for (size_t i = 0; i < cells->count; i++)
        print_losses(&cells->items[i], out);
    print_cut_short(cells, out);
    for (size_t i = 0; i < cells->skipped_count; i++)
        fprintf(out, "%s was skipped: %s\n", cells->skipped[i].policy->name,
                cells->skipped[i].reason);
}

void screen_paragraph(const char *text, FILE *out)
{
    size_t column = 0;

    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column > 0 && column + 1 + word >= SCREEN_COLUMNS) {
            fputc('\n', out);
            column = 0;
        } else if (column > 0) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, word, out);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}
