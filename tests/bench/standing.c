#include "standing.h"

#include "figures.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define OURS "sorreld"

/* A row: the same figure of all servers. */
struct row {
    const char *key;  /* in a server's object */
    const char *name; /* with its unit */
    bool more_is_better;
};

static const struct row rows_of_workload[] = {
    {"rate", "answers/s", true},
    {"user_ns", "ns of user CPU time", false},
    {"cpu_ratio", "of the null responder, by CPU", true},
    {"median_us", "us of latency (median)", false},
    {"p99_us", "us of latency (p99)", false},
};

static const struct row rows_of_set[] = {
    {"memory_kib", "KiB of memory", false},
    {"start_seconds", "s to the first answer", false},
};

struct standing {
    FILE *text;
    unsigned rows;
    unsigned ahead;
};

/* Median of an array, or a number; 0 if there is none. */
static double read_figure(const json_t *server, const char *key)
{
    const json_t *json = json_object_get(server, key), *value;
    struct figures figures = {.count = 0};
    size_t i;

    if (json_is_number(json))
        return json_number_value(json);
    json_array_foreach(json, i, value) figures_add(&figures, json_number_value(value));
    return figures_median(&figures);
}

static bool is_peer(const char *name)
{
    return strncmp(name, "null", 4) != 0 && strncmp(name, OURS, strlen(OURS)) != 0;
}

/* The best of the others; false if there are none. */
static bool find_best(const json_t *servers, const struct row *row, const char **name, double *best)
{
    const char *key;
    json_t *server;
    bool found = false;

    json_object_foreach((json_t *)(uintptr_t)servers, key, server) /* which it does not change */
    {
        double figure = is_peer(key) ? read_figure(server, row->key) : 0;
        if (figure <= 0 || (found && (figure > *best) != row->more_is_better))
            continue;
        found = true;
        *best = figure;
        *name = key;
    }
    return found;
}

static void judge_row(struct standing *standing, const json_t *item, const struct row *row)
{
    const json_t *servers = json_object_get(item, "servers");
    double ours = read_figure(json_object_get(servers, OURS), row->key), best = 0;
    const char *name = NULL;

    if (ours <= 0 || !find_best(servers, row, &name, &best))
        return;
    if (standing->rows++ == 0)
        fputs("\nsorreld beside the other name servers\n", standing->text);
    if (row->more_is_better ? ours > best : ours < best) {
        standing->ahead++;
        return;
    }
    fprintf(standing->text, "  not ahead: %s, %s: %.4g; %s %.4g\n",
            json_string_value(json_object_get(item, "name")), row->name, ours, name, best);
}

static void judge_all(struct standing *standing, const json_t *items, const struct row *rows,
                      size_t count)
{
    const json_t *item;
    size_t i;

    json_array_foreach(items, i, item) for (size_t k = 0; k < count; k++)
        judge_row(standing, item, &rows[k]);
}

void standing_print(FILE *text, const json_t *document)
{
    struct standing standing = {.text = text};

    judge_all(&standing, json_object_get(document, "workloads"), rows_of_workload,
              sizeof rows_of_workload / sizeof *rows_of_workload);
    judge_all(&standing, json_object_get(document, "sets"), rows_of_set,
              sizeof rows_of_set / sizeof *rows_of_set);
    if (standing.rows > 0)
        fprintf(text, "  ahead of all in %u of %u rows, by their medians\n", standing.ahead,
                standing.rows);
}
