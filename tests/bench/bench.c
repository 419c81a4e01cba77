/*
 * The benchmark: servers side by side, round by round, in one run. See tests/bench/README.
 */
#include "../loss/child.h"
#include "drive.h"
#include "measure.h"
#include "report.h"
#include "sampler.h"
#include "scratch.h"
#include "starter.h"
#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLD_STARTS = 3, ROUNDS_MAX = FIGURES_MAX };

struct options {
    struct measure_settings measure;
    struct workload_root root;
    unsigned workers;
    unsigned cold_starts;
    uint32_t names_max;
    const char *workloads; /* names with spaces or commas between; NULL: all */
    const char *servers;
    const char *json;
};

struct bench {
    struct options options;
    struct report report;
    const char *scratch;
    size_t count;
    const struct server_kind *kinds[STARTER_SERVERS_MAX];
};

/* Is `name` in the list? NULL lists all. */
static bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = list; at != NULL && *at != '\0';) {
        size_t word = strcspn(at, " ,");
        if (word == length && strncmp(at, name, length) == 0)
            return true;
        at += word + strspn(at + word, " ,");
    }
    return list == NULL;
}

/* --- a set of zones ----------------------------------------------------------------- */

static struct questions *open_questions(const struct bench *bench, const struct zoneset *set,
                                        const struct workload *workload)
{
    return workload_questions(workload, set, bench->scratch, &bench->options.root);
}

static void measure_workload(struct bench *bench, struct starter *starter,
                             const struct workload *workload)
{
    struct measure_outcome outcomes[STARTER_SERVERS_MAX] = {{.measured = false}};
    struct questions *questions = open_questions(bench, starter->set, workload);

    measure(&bench->options.measure, workload, questions, starter->servers, bench->count, outcomes);
    questions_free(questions);
    report_workload(&bench->report, workload, bench->kinds, outcomes, bench->count);
}

static void measure_set(struct bench *bench, const struct zoneset *set,
                        const struct workload *const *workloads, size_t count)
{
    struct questions *questions = open_questions(bench, set, workloads[0]);
    struct starter *starter = calloc(1, sizeof *starter);

    if (starter == NULL)
        child_fail("no memory");
    *starter = (struct starter){.report = &bench->report,
                                .set = set,
                                .workers = bench->options.workers,
                                .starts = bench->options.cold_starts,
                                .with_table = true,
                                .server_cpu = bench->options.measure.server_cpu,
                                .count = bench->count,
                                .kinds = bench->kinds};
    starter_open(starter, bench->scratch, questions, workloads[0]->rcode);
    starter_run(starter);
    for (size_t i = 0; i < count; i++)
        measure_workload(bench, starter, workloads[i]);
    starter_weigh(starter);
    starter_report(starter);
    starter_close(starter);
    free(starter);
    questions_free(questions);
}

static void run_set(struct bench *bench, const struct zoneset *set)
{
    const struct workload *workloads[WORKLOAD_COUNT];
    size_t count = 0;

    for (size_t i = 0; i < WORKLOAD_COUNT; i++)
        if (strcmp(workload_all[i].zones, set->name) == 0 &&
            is_listed(bench->options.workloads, workload_all[i].name))
            workloads[count++] = &workload_all[i];
    if (count == 0)
        return;
    if (set->write == NULL && (set->file == NULL || bench->options.root.names == NULL))
        report_note(&bench->report, "%s was left out: no root zone and names were given (-R, -N)",
                    set->name);
    else
        measure_set(bench, set, workloads, count);
}

/* --- who takes part, and where -------------------------------------------------------- */

static void choose_servers(struct bench *bench)
{
    for (size_t i = 0; server_kinds[i] != NULL; i++) {
        const struct server_kind *kind = server_kinds[i];
        if (i > 0 && !is_listed(bench->options.servers, kind->name))
            continue;
        if (kind->is_installed())
            bench->kinds[bench->count++] = kind;
        else if (i == 0)
            child_fail("the null responder is not built: make tests/bench/null");
        else
            report_note(&bench->report, "%s is not installed", kind->name);
    }
}

static void note_conditions(struct bench *bench)
{
    const struct measure_settings *settings = &bench->options.measure;
    const char *reason;

    if (bench->options.names_max != UINT32_MAX)
        report_note(&bench->report, "sets of zones were cut to %u names (-n): a look, no more",
                    bench->options.names_max);
    if (settings->client_cpu == settings->server_cpu)
        report_note(&bench->report, "client and server share the only CPU: throughput says little");
    if (!sampler_open(settings->server_cpu, &reason))
        report_note(&bench->report,
                    "user and kernel time are told apart by the tick, which is coarse: no samples "
                    "can be taken (%s)",
                    reason);
}

/* --- options ---------------------------------------------------------------------------- */

_Noreturn static void usage(int status)
{
    fputs("usage: bench [OPTION]...\n"
          "  -r ROUNDS     5 or more for figures to go by (5)\n"
          "  -s SECONDS    of each measurement of throughput (0.7)\n"
          "  -w WORKLOADS  only these of:",
          stderr);
    for (size_t i = 0; i < WORKLOAD_COUNT; i++)
        fprintf(stderr, " %s", workload_all[i].name);
    fputs("\n  -S SERVERS    only these of:", stderr);
    for (size_t i = 1; server_kinds[i] != NULL; i++)
        fprintf(stderr, " %s", server_kinds[i]->name);
    fputs("\n  -c STARTS     of each server with each set of zones (3)\n"
          "  -n NAMES      at most so many names a set: a quick look\n"
          "  -W WORKERS    of each server (1)\n"
          "  -F PORTS      that each client asks from, except in the workload ports (4)\n"
          "  -R FILE       the root zone           -N FILE   names to ask of it, one a line\n"
          "  -o FILE       where to write all figures as JSON\n",
          stderr);
    exit(status);
}

static void set(struct options *o, int option, const char *value)
{
    switch (option) {
    case 'r':
        o->measure.rounds = (unsigned)strtoul(value, NULL, 10);
        break;
    case 's':
        o->measure.seconds = strtod(value, NULL);
        break;
    case 'w':
        o->workloads = value;
        break;
    case 'S':
        o->servers = value;
        break;
    case 'c':
        o->cold_starts = (unsigned)strtoul(value, NULL, 10);
        break;
    case 'n':
        o->names_max = (uint32_t)strtoul(value, NULL, 10);
        break;
    case 'W':
        o->workers = (unsigned)strtoul(value, NULL, 10);
        break;
    case 'F':
        o->measure.flows = (unsigned)strtoul(value, NULL, 10);
        break;
    case 'R':
        o->root.zone = value;
        break;
    case 'N':
        o->root.names = value;
        break;
    case 'o':
        o->json = value;
        break;
    default:
        usage(2);
    }
}

static void check_words(const char *list, const char *what, bool (*is_known)(const char *word))
{
    char word[64];

    for (const char *at = list; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, " ,");
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        if (!is_known(word))
            child_fail("there is no %s %s", what, word);
        at += length + strspn(at + length, " ,");
    }
}

static bool is_workload(const char *word)
{
    for (size_t i = 0; i < WORKLOAD_COUNT; i++)
        if (strcmp(workload_all[i].name, word) == 0)
            return true;
    return false;
}

static bool is_server(const char *word)
{
    for (size_t i = 0; server_kinds[i] != NULL; i++)
        if (strcmp(server_kinds[i]->name, word) == 0)
            return true;
    return false;
}

static void read_options(struct options *o, int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "r:s:w:S:c:n:W:F:R:N:o:")) != -1)
        set(o, option, optarg);
    if (optind != argc || o->measure.rounds == 0 || o->measure.rounds > ROUNDS_MAX ||
        o->measure.seconds <= 0 || o->measure.flows == 0 || o->measure.flows > DRIVE_FLOWS_MAX ||
        o->names_max == 0 || o->workers == 0 || o->cold_starts == 0)
        usage(2);
    check_words(o->workloads, "workload", is_workload);
    check_words(o->servers, "server", is_server);
}

int main(int argc, char **argv)
{
    static struct bench bench = {
        .options = {.measure = {.rounds = 5, .seconds = 0.7, .flows = 4, .window = 256},
                    .workers = 1,
                    .cold_starts = COLD_STARTS,
                    .names_max = UINT32_MAX}};
    struct zoneset sets[WORKLOAD_SETS];

    read_options(&bench.options, argc, argv);
    measure_choose_cpus(&bench.options.measure);
    report_open(&bench.report, stdout, &bench.options.measure, bench.options.workers);
    choose_servers(&bench);
    note_conditions(&bench);
    bench.scratch = scratch_open();
    workload_sets(sets, bench.options.names_max, &bench.options.root);
    for (size_t i = 0; i < WORKLOAD_SETS; i++)
        run_set(&bench, &sets[i]);
    scratch_close();
    sampler_close();
    if (!report_close(&bench.report, bench.options.json))
        child_fail("cannot write %s: %s", bench.options.json, strerror(errno));
    return 0;
}
