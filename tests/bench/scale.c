/*
 * How what sorreld costs grows: with the names of a zone, with zones, with workers. The null
 * responder beside it tells what of that is the kernel's.
 *
 *   scale [-m NAMES] [-z ZONES] [-W WORKERS] [-r ROUNDS] [-s SECONDS] [-o FILE]
 *
 * Prints a table, and writes all figures as JSON, from which `plot` draws.
 */
#include "../loss/child.h"
#include "measure.h"
#include "report.h"
#include "sampler.h"
#include "scratch.h"
#include "starter.h"
#include "zonetext.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NULL_RESPONDER, SORRELD, SERVERS, FLOWS = 64, WINDOW = 1024, NAMES_OF_WORKERS = 100000 };

struct scale {
    struct measure_settings measure;
    uint32_t names_max, zones_max;
    unsigned workers_max;
    const char *json;
    const char *scratch;
    struct report report;
    const struct server_kind *kinds[SERVERS];
};

/* What grows in a series, and what is asked. */
struct growth {
    const char *name;
    const char *unit;
    struct workload workload;
    struct zoneset set;
};

static const struct growth by_names = {
    "names",
    "names in one zone",
    {.questions = {.pattern = "n#######.names.bench", .type = "A"}},
    {.name = "names", .origin = "names.bench", .zones = 1, .write = zonetext_names}};

static const struct growth by_zones = {
    "zones",
    "zones of four records",
    {.questions = {.pattern = "www.z######.bench", .type = "A"}},
    {.name = "zones", .origin = "z######.bench", .write = zonetext_zones}};

static const struct growth by_workers = {
    "workers",
    "workers on one CPU, 100,000 names",
    {.questions = {.pattern = "n#######.names.bench", .type = "A"}},
    {.name = "workers", .origin = "names.bench", .zones = 1, .write = zonetext_names}};

static void print_head(const struct scale *scale, const struct growth *growth)
{
    fprintf(scale->report.text, "\n%s\n  %10s %8s %5s %8s %8s %10s %10s %10s %8s\n", growth->unit,
            growth->name, "user ns", "+-", "kernel", "null", "memory MB", "peak MB", "octets each",
            "load s");
}

static json_t *print_point(const struct scale *scale, const struct starter *starter,
                           const struct measure_outcome *outcomes, uint32_t items)
{
    const struct measure_outcome *ours = &outcomes[SORRELD], *null = &outcomes[NULL_RESPONDER];
    const struct report_start *start = &starter->starts_of[SORRELD];
    double kib = (double)start->memory.total_kib;

    fprintf(scale->report.text, "  %10u %8.0f %4.0f%% %8.0f %8.0f %10.1f %10.1f %11.1f %8.3f\n",
            items, figures_median(&ours->user_ns), 100 * figures_spread(&ours->user_ns),
            figures_median(&ours->kernel_ns),
            figures_median(&null->user_ns) + figures_median(&null->kernel_ns), kib / 1024,
            (double)start->peak_kib / 1024, kib * 1024 / items, figures_median(&start->seconds));
    fflush(scale->report.text);
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "x", (json_int_t)items, "user_ns",
                     report_figures(&ours->user_ns), "kernel_ns", report_figures(&ours->kernel_ns),
                     "rate", report_figures(&ours->rate), "null_ns",
                     report_figures(&null->kernel_ns), "memory_kib",
                     (json_int_t)start->memory.total_kib, "peak_kib", (json_int_t)start->peak_kib,
                     "start_seconds", report_figures(&start->seconds));
}

static json_t *measure_point(struct scale *scale, const struct growth *growth,
                             struct starter *starter, uint32_t items)
{
    struct measure_outcome outcomes[SERVERS] = {{.measured = false}};
    struct workload workload = growth->workload;

    workload.questions.count = starter->set->names;
    workload.name = growth->name;
    struct questions *questions = questions_open(&workload.questions);
    if (questions == NULL)
        child_fail("there are no questions for %s", growth->name);
    starter_open(starter, scale->scratch, questions, 0);
    starter_run(starter);
    measure(&scale->measure, &workload, questions, starter->servers, SERVERS, outcomes);
    starter_weigh(starter);
    json_t *point = print_point(scale, starter, outcomes, items);
    starter_close(starter);
    questions_free(questions);
    return point;
}

/* One point of a series: `items` names, zones or workers. */
static json_t *run_point(struct scale *scale, const struct growth *growth, uint32_t items)
{
    struct starter *starter = calloc(1, sizeof *starter);
    struct zoneset set = growth->set;

    if (starter == NULL)
        child_fail("no memory");
    set.names = growth == &by_workers ? NAMES_OF_WORKERS : items;
    if (growth == &by_zones)
        set.zones = items;
    *starter = (struct starter){.report = &scale->report,
                                .set = &set,
                                .workers = growth == &by_workers ? items : 1,
                                .starts = 1,
                                .server_cpu = scale->measure.server_cpu,
                                .count = SERVERS,
                                .kinds = scale->kinds};
    json_t *point = measure_point(scale, growth, starter, items);
    free(starter);
    return point;
}

static json_t *run_series(struct scale *scale, const struct growth *growth, uint32_t first,
                          uint32_t last, const uint32_t *steps)
{
    json_t *points = json_array();

    print_head(scale, growth);
    /* `steps` are factors, taken in turns; 0: one more each time. */
    for (uint32_t items = first, i = 0; items <= last; i++) {
        json_array_append_new(points, run_point(scale, growth, items));
        items = steps == NULL ? items + 1 : first * steps[i % 2];
        if (steps != NULL && i % 2 == 1)
            first = items;
    }
    return json_pack("{s:s, s:s, s:o}", "name", growth->name, "unit", growth->unit, "points",
                     points);
}

static void run_all(struct scale *scale)
{
    static const uint32_t thirds[] = {3, 10}, tens[] = {10, 100};
    json_t *series = json_array();

    json_array_append_new(series, run_series(scale, &by_names, 1000, scale->names_max, thirds));
    json_array_append_new(series, run_series(scale, &by_zones, 1, scale->zones_max, tens));
    json_array_append_new(series, run_series(scale, &by_workers, 1, scale->workers_max, NULL));
    report_add(&scale->report, "series", series);
}

_Noreturn static void usage(void)
{
    fputs("usage: scale [-m NAMES] [-z ZONES] [-W WORKERS] [-r ROUNDS] [-s SECONDS] [-o FILE]\n"
          "  -m, -z, -W  how far it goes (10000000, 1000000, 8)\n"
          "  -r ROUNDS (5)   -s SECONDS of each measurement (0.5)   -o FILE  for the JSON\n",
          stderr);
    exit(2);
}

static void read_options(struct scale *scale, int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "m:z:W:r:s:o:")) != -1) {
        if (option == 'm')
            scale->names_max = (uint32_t)strtoul(optarg, NULL, 10);
        else if (option == 'z')
            scale->zones_max = (uint32_t)strtoul(optarg, NULL, 10);
        else if (option == 'W')
            scale->workers_max = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'r')
            scale->measure.rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 's')
            scale->measure.seconds = strtod(optarg, NULL);
        else if (option == 'o')
            scale->json = optarg;
        else
            usage();
    }
    if (optind != argc || scale->measure.rounds == 0 || scale->measure.rounds > FIGURES_MAX ||
        scale->measure.seconds <= 0)
        usage();
}

static void choose_servers(struct scale *scale)
{
    for (size_t i = 0; server_kinds[i] != NULL; i++) {
        if (server_kinds[i]->is_measure)
            scale->kinds[NULL_RESPONDER] = server_kinds[i];
        if (server_kinds[i]->keeps_table)
            scale->kinds[SORRELD] = server_kinds[i];
    }
    for (size_t i = 0; i < SERVERS; i++)
        if (!scale->kinds[i]->is_installed())
            child_fail("%s is not there: make it first", scale->kinds[i]->name);
}

int main(int argc, char **argv)
{
    static struct scale scale = {
        .measure = {.rounds = 5, .seconds = 0.5, .flows = FLOWS, .window = WINDOW},
        .names_max = 10000000,
        .zones_max = 1000000,
        .workers_max = 8};
    const char *reason;

    read_options(&scale, argc, argv);
    measure_choose_cpus(&scale.measure);
    choose_servers(&scale);
    report_open(&scale.report, stdout, &scale.measure, 1);
    if (!sampler_open(scale.measure.server_cpu, &reason))
        report_note(&scale.report, "user time is told by the tick, which is coarse: %s", reason);
    scale.scratch = scratch_open();
    run_all(&scale);
    scratch_close();
    sampler_close();
    if (!report_close(&scale.report, scale.json))
        child_fail("cannot write %s: %s", scale.json, strerror(errno));
    return 0;
}
