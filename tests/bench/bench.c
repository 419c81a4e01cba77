/*
 * The benchmark: servers side by side, round by round, in one run. See tests/bench/README.
 */
#include "../loss/child.h"
#include "measure.h"
#include "report.h"
#include "sampler.h"
#include "workload.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SERVERS_MAX = 8, PATIENCE = 120, COLD_STARTS = 3, ROUNDS_MAX = FIGURES_MAX };

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
    char directory[128];
    size_t count;
    const struct server_kind *kinds[SERVERS_MAX];
};

/* --- the directory of the run ----------------------------------------------------- */

static char run_directory[128];

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static void remove_run_directory(void)
{
    if (run_directory[0] != '\0')
        nftw(run_directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_run_directory(struct bench *bench)
{
    const char *base = getenv("TMPDIR");

    snprintf(run_directory, sizeof run_directory, "%.96s/sorrel-bench.XXXXXX",
             base != NULL && *base != '\0' ? base : "/tmp");
    if (mkdtemp(run_directory) == NULL || chmod(run_directory, 0755) != 0)
        child_fail("cannot make %s: %s", run_directory, strerror(errno));
    child_at_fail(remove_run_directory);
    snprintf(bench->directory, sizeof bench->directory, "%s", run_directory);
}

static void interrupted(int signal)
{
    (void)signal;
    remove_run_directory(); /* what else can be done; the servers die with us */
    _exit(1);
}

static void make_directory(const char *path)
{
    if (mkdir(path, 0755) != 0)
        child_fail("cannot make %s: %s", path, strerror(errno));
}

/* --- a set of zones ----------------------------------------------------------------- */

struct run {
    struct bench *bench;
    const struct zoneset *set;
    char directory[160]; /* of the set: zones in zones/, each server's things in a folder */
    char zone_directory[192];
    struct server servers[SERVERS_MAX];
    struct report_start starts[SERVERS_MAX];
    uint8_t probe_query[QUESTIONS_OCTETS_MAX];
    struct server_probe probe;
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

/* The question for a server's last name: whoever answers it has loaded all. */
static void make_probe(struct run *run, const struct workload *workload)
{
    struct bench *bench = run->bench;
    struct questions *questions =
        workload_questions(workload, run->set, run->directory, &bench->options.root);

    run->probe.query = run->probe_query;
    run->probe.length =
        questions_write(questions, questions_count(questions) - 1, run->probe_query);
    run->probe.rcode = workload->rcode;
    questions_free(questions);
}

static void start_once(struct run *run, size_t i)
{
    const struct server_kind *kind = run->bench->kinds[i];
    struct server *server = &run->servers[i];
    char reason[512];

    *server = (struct server){.zones = run->set,
                              .zone_directory = run->zone_directory,
                              .workers = run->bench->options.workers};
    if (kind->no_dnssec && run->set->is_signed)
        return;
    if (server_start(server, kind, run->directory, &run->probe, PATIENCE, reason))
        figures_add(&run->starts[i].seconds, server->start_seconds);
    else
        report_note(&run->bench->report, "%s could not be measured with %s: %s", kind->name,
                    run->set->name, reason);
}

/* Starts each so often; at the end those run that can. */
static void start_all(struct run *run)
{
    struct bench *bench = run->bench;
    unsigned starts = bench->options.cold_starts;

    for (unsigned start = 0; start < starts; start++) {
        for (size_t i = 0; i < bench->count; i++) {
            if (start > 0 && run->servers[i].pid == 0)
                continue; /* it could not */
            if (isatty(STDERR_FILENO))
                fprintf(stderr, "\r%s: start %u of %u, %s\033[K", run->set->name, start + 1, starts,
                        bench->kinds[i]->name);
            server_stop(&run->servers[i]);
            start_once(run, i);
        }
    }
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static void pin_all(struct run *run)
{
    struct family family;

    for (size_t i = 0; i < run->bench->count; i++)
        if (run->servers[i].pid != 0) {
            family_find(&family, run->servers[i].pid);
            family_pin(&family, run->bench->options.measure.server_cpu);
        }
}

static void measure_workload(struct run *run, const struct workload *workload)
{
    struct bench *bench = run->bench;
    struct measure_outcome outcomes[SERVERS_MAX] = {{.measured = false}};
    struct questions *questions =
        workload_questions(workload, run->set, run->directory, &bench->options.root);

    measure(&bench->options.measure, workload, questions, run->servers, bench->count, outcomes);
    questions_free(questions);
    report_workload(&bench->report, workload, bench->kinds, outcomes, bench->count);
}

static void note_memory(struct run *run)
{
    struct family family;

    for (size_t i = 0; i < run->bench->count; i++) {
        if (run->servers[i].pid == 0)
            continue;
        family_find(&family, run->servers[i].pid);
        run->starts[i].memory = family_memory(&family);
    }
}

static void write_zones(struct run *run)
{
    make_directory(run->directory);
    make_directory(run->zone_directory);
    if (run->set->write != NULL)
        run->set->write(run->zone_directory, run->set->names);
}

static void measure_set(struct run *run, const struct workload *const *workloads, size_t count)
{
    struct bench *bench = run->bench;

    write_zones(run);
    make_probe(run, workloads[0]);
    for (size_t i = 0; i < bench->count; i++)
        run->starts[i].server = bench->kinds[i]->name;
    start_all(run);
    pin_all(run);
    for (size_t i = 0; i < count; i++)
        measure_workload(run, workloads[i]);
    note_memory(run);
    report_set(&bench->report, run->set, run->starts, bench->count);
    for (size_t i = 0; i < bench->count; i++)
        server_stop(&run->servers[i]);
    nftw(run->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
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
    if (set->write == NULL && (set->file == NULL || bench->options.root.names == NULL)) {
        report_note(&bench->report, "%s was left out: no root zone and names were given (-R, -N)",
                    set->name);
        return;
    }
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        child_fail("no memory");
    run->bench = bench;
    run->set = set;
    snprintf(run->directory, sizeof run->directory, "%s/%s", bench->directory, set->name);
    snprintf(run->zone_directory, sizeof run->zone_directory, "%s/zones", run->directory);
    measure_set(run, workloads, count);
    free(run);
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

static void choose_cpus(struct measure_settings *settings)
{
    cpu_set_t set;

    settings->server_cpu = -1;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        child_fail("cannot tell which CPUs there are: %s", strerror(errno));
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET((size_t)i, &set)) {
            if (settings->server_cpu < 0)
                settings->server_cpu = i;
            settings->client_cpu = i;
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
          "  -s SECONDS    of each measurement of throughput (0.8)\n"
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

    while ((option = getopt(argc, argv, "r:s:w:S:c:n:W:R:N:o:")) != -1)
        set(o, option, optarg);
    if (optind != argc || o->measure.rounds == 0 || o->measure.rounds > ROUNDS_MAX ||
        o->measure.seconds <= 0 || o->names_max == 0 || o->workers == 0 || o->cold_starts == 0)
        usage(2);
    check_words(o->workloads, "workload", is_workload);
    check_words(o->servers, "server", is_server);
}

int main(int argc, char **argv)
{
    static struct bench bench = {
        .options = {.measure = {.rounds = 5, .seconds = 0.8, .flows = 4, .window = 256},
                    .workers = 1,
                    .cold_starts = COLD_STARTS,
                    .names_max = UINT32_MAX}};
    struct zoneset sets[WORKLOAD_SETS];

    read_options(&bench.options, argc, argv);
    choose_cpus(&bench.options.measure);
    report_open(&bench.report, stdout, &bench.options.measure, bench.options.workers);
    choose_servers(&bench);
    note_conditions(&bench);
    make_run_directory(&bench);
    signal(SIGINT, interrupted);
    signal(SIGTERM, interrupted);
    workload_sets(sets, bench.options.names_max, &bench.options.root);
    for (size_t i = 0; i < WORKLOAD_SETS; i++)
        run_set(&bench, &sets[i]);
    remove_run_directory();
    sampler_close();
    if (!report_close(&bench.report, bench.options.json))
        child_fail("cannot write %s: %s", bench.options.json, strerror(errno));
    return 0;
}
