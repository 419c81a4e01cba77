#include "tools/spread/export.h"

#include "config.h"

#include <jansson.h>

static json_t *known(double value)
{
    return value < 0 ? json_null() : json_real(value);
}

static json_t *worker_json(const struct cells *cells, const struct cell *cell, unsigned worker)
{
    char name[ROSTER_NAME_MAX + 1] = "";
    json_t *json =
        json_pack("{s:i, s:I, s:f}", "worker", (int)worker, "answers",
                  (json_int_t)cell->tally.workers[worker], "share", cell_share(cell, worker));

    if (cells->roster != NULL && roster_name(cells->roster, worker, name)[0] != '\0')
        json_object_set_new(json, "nsid", json_string(name));
    return json;
}

static json_t *workers_json(const struct cells *cells, const struct cell *cell)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < cell->workers; i++)
        json_array_append_new(list, worker_json(cells, cell, i));
    return list;
}

static json_t *band_json(const struct figures *figures)
{
    if (!figures->has_band)
        return json_null();
    return json_pack("{s:f, s:f, s:f}", "low", figures->low, "typical", figures->typical, "high",
                     figures->high);
}

static json_t *cell_json(const struct cells *cells, const struct cell *cell)
{
    struct figures figures = cell_figures(cells, cell);
    const struct traffic_tally *tally = &cell->tally;

    return json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:o, s:f, s:o, s:f, s:f, s:f, s:f, s:f, "
                     "s:o, s:o, s:o}",
                     "policy", cell->policy->name, "flows", (int)cell->flows, "sent",
                     (json_int_t)tally->sent, "answered", (json_int_t)tally->answered, "lost",
                     (json_int_t)tally->lost, "nameless", (json_int_t)tally->nameless, "workers",
                     workers_json(cells, cell), "busiest_over_mean", figures.busiest, "by_chance",
                     band_json(&figures), "p_even", figures.even, "seconds", tally->seconds,
                     "answers_per_second", figures.rate, "median_us", figures.median, "p99_us",
                     figures.p99, "cpu_us_per_answer", known(figures.cpu), "switches_per_answer",
                     known(figures.switches), "empty_wakeups_per_answer", known(figures.empty));
}

static json_t *skipped_json(const struct cells *cells)
{
    json_t *list = json_array();

    for (size_t i = 0; i < cells->skipped_count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s}", "policy", cells->skipped[i].policy->name,
                                        "reason", cells->skipped[i].reason));
    return list;
}

void export_json(const struct cells *cells, const struct reading *reading, FILE *out)
{
    json_t *rows = json_array(), *sentences = json_array();

    for (size_t i = 0; i < cells->count; i++)
        json_array_append_new(rows, cell_json(cells, &cells->items[i]));
    for (size_t i = 0; i < reading->count; i++)
        json_array_append_new(sentences, json_string(reading->paragraphs[i]));
    json_t *document = json_pack("{s:s, s:s, s:s, s:I, s:i, s:f, s:o, s:o, s:o}", "version",
                                 PACKAGE_VERSION, "server", cells->server, "transport",
                                 cells->tcp ? "tcp" : "udp", "queries", (json_int_t)cells->queries,
                                 "window", TRAFFIC_WINDOW, "confidence", BAND_CONFIDENCE, "rows",
                                 rows, "skipped", skipped_json(cells), "reading", sentences);
    json_dumpf(document, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    fputc('\n', out);
    json_decref(document);
}

/* An empty field for what is not known. */
static void print_known(double value, FILE *out)
{
    if (value < 0)
        fputc(',', out);
    else
        fprintf(out, ",%.6g", value);
}

static void print_row(const struct cells *cells, const struct cell *cell, unsigned workers,
                      FILE *out)
{
    struct figures figures = cell_figures(cells, cell);
    const struct traffic_tally *tally = &cell->tally;

    fprintf(out, "%s,%s,%u,%llu,%llu,%llu,%.6g", cell->policy->name, cells->tcp ? "tcp" : "udp",
            cell->flows, (unsigned long long)tally->sent, (unsigned long long)tally->answered,
            (unsigned long long)tally->lost, figures.busiest);
    print_known(figures.has_band ? figures.low : -1, out);
    print_known(figures.has_band ? figures.typical : -1, out);
    print_known(figures.has_band ? figures.high : -1, out);
    fprintf(out, ",%.6g,%.6g,%.6g,%.6g", figures.even, figures.rate, figures.median, figures.p99);
    print_known(figures.cpu, out);
    print_known(figures.switches, out);
    print_known(figures.empty, out);
    for (unsigned i = 0; i < workers; i++)
        fprintf(out, ",%llu", (unsigned long long)tally->workers[i]);
    fputc('\n', out);
}

void export_csv(const struct cells *cells, FILE *out)
{
    unsigned workers = cells->count > 0 ? cells->items[0].workers : 0;

    fputs("policy,transport,flows,sent,answered,lost,busiest_over_mean,chance_low,chance_typical,"
          "chance_high,p_even,answers_per_second,median_us,p99_us,cpu_us_per_answer,switches_per_"
          "answer,"
          "empty_wakeups_per_answer",
          out);
    for (unsigned i = 0; i < workers; i++)
        fprintf(out, ",worker_%u", i);
    fputc('\n', out);
    for (size_t i = 0; i < cells->count; i++)
        print_row(cells, &cells->items[i], workers, out);
}
