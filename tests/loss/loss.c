/*
 * Is any query lost? Lets each scenario happen to each server, and prints a table.
 *
 *     loss [OPTION]... [SCENARIO]...
 *
 *   -q           quick: what `make check` has time for; otherwise the full measure
 *   -k KIND      sorreld, nsd or knotd; may be repeated (all that are installed)
 *   -s STEERING  hash or query, of sorreld; may be repeated (both)
 *   -r RATE      queries a second    -t SECONDS  as long at least
 *   -f FLOWS     source ports        -n NAMES    in the zone
 *   -w WORKERS   of each server      -l LOADS    of the zone in `reloads`
 *
 * sorreld and sorrelctl are those that $SORRELD and $SORRELCTL name, or of the directory it runs
 * in. Exits 0 if no server of ours has lost more than it may, 1 if one has or a scenario was void,
 * 77 if there was nothing to try.
 */
#include "child.h"
#include "scenario.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { SKIPPED = 77, CHOICES_MAX = 16 };

static const struct scenario_effort full = {.rate = 50000,
                                            .queries = 400000,
                                            .flows = 64,
                                            .names = 100000,
                                            .workers = 2,
                                            .reloads = 50,
                                            .resizes = 10,
                                            .switches = 100,
                                            .sharings = 5,
                                            .takeovers = 20,
                                            .restarts = 3,
                                            .deaths = 10,
                                            .shortfall = 5,
                                            .attempts = 2};

static const struct scenario_effort quick = {.rate = 5000,
                                             .queries = 4000,
                                             .flows = 64,
                                             .names = 2000,
                                             .workers = 2,
                                             .reloads = 5,
                                             .resizes = 1,
                                             .switches = 8,
                                             .sharings = 1,
                                             .takeovers = 3,
                                             .restarts = 2,
                                             .deaths = 2,
                                             .shortfall = 25,
                                             .attempts = 5};

static const struct subject_kind *const kinds[] = {&subject_sorreld, &subject_nsd, &subject_knotd};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

struct choices {
    const char *list[CHOICES_MAX];
    size_t count;
};

struct totals {
    unsigned kept;
    unsigned broken;
    unsigned is_void;
    unsigned skipped;
    unsigned measured; /* of servers that are not ours */
};

/* --- the table ------------------------------------------------------------------ */

static void print_heading(const struct scenario_effort *effort)
{
    printf("%u queries/s for %.1f s at least, %u flows, %u names, %u workers\n\n", effort->rate,
           (double)effort->queries / effort->rate, effort->flows, effort->names, effort->workers);
    printf("%-11s %-8s %-8s %6s %8s %8s %7s %5s %5s %9s %8s %8s  %s\n", "scenario", "server",
           "steering", "rate", "sent", "answered", "lost", "twice", "wrong", "gap ms", "p99 ms",
           "max ms", "verdict");
}

static const char *verdict_word(const struct scenario_result *result,
                                const struct subject_kind *kind)
{
    if (result->verdict == SCENARIO_VOID)
        return "VOID";
    if (!kind->is_ours)
        return result->tally.lost == 0 ? "none lost" : "loses";
    return result->verdict == SCENARIO_KEPT ? "kept" : "BROKEN";
}

static void print_verdict(const struct scenario_result *result, const struct subject_kind *kind)
{
    fputs(verdict_word(result, kind), stdout);
    if (result->kills > 0)
        printf(" (%u kills)", result->kills);
    putchar('\n');
}

static void print_details(const struct scenario_result *result)
{
    const struct load_tally *tally = &result->tally;

    if (*result->trouble != '\0')
        printf("    %s\n", result->trouble);
    if (tally->lost > 0)
        printf("    lost: sent %.1f to %.1f ms after the start, on %u flows; server's queues full: "
               "%" PRIu64 " times; port closed: %" PRIu64 " times\n",
               tally->first_lost_us / 1000.0, tally->last_lost_us / 1000.0, tally->lost_flows,
               result->drops, tally->refused);
    if (tally->wrong > 0)
        printf("    wrong: %" PRIu64 " of two versions, %" PRIu64 " of one gone, %" PRIu64
               " of one not there yet, %" PRIu64 " to no query\n",
               tally->mixed, tally->stale, tally->premature, tally->strange);
    if (tally->lost > 0 || result->verdict == SCENARIO_VOID)
        printf("    other programs had %u %% of the machine\n", result->others);
    if (tally->is_void)
        printf("    generator: %u of %u queries/s, dropped %" PRIu64
               " answers, was put off %" PRIu64 " times%s\n",
               tally->rate, result->asked_rate, tally->own_drops, tally->congested,
               tally->exhausted ? ", ran out of numbers before the event was over" : "");
}

static void print_result(const struct scenario *scenario, const struct subject_kind *kind,
                         const char *steering, const struct scenario_result *result)
{
    const struct load_tally *tally = &result->tally;

    printf("%-11s %-8s %-8s %6u %8" PRIu64 " %8" PRIu64 " %7" PRIu64 " %5" PRIu64 " %5" PRIu64
           " %9.1f %8.1f %8.1f  ",
           scenario->name, kind->name, steering != NULL ? steering : "-", tally->rate, tally->sent,
           tally->answered, tally->lost, tally->duplicates, tally->wrong, tally->gap_us / 1000.0,
           tally->p99_us / 1000.0, tally->slowest_us / 1000.0);
    print_verdict(result, kind);
    print_details(result);
}

/* --- what to run ---------------------------------------------------------------- */

static bool is_chosen(const struct choices *choices, const char *name)
{
    for (size_t i = 0; i < choices->count; i++)
        if (strcmp(choices->list[i], name) == 0)
            return true;
    return choices->count == 0;
}

static void count(struct totals *totals, const struct subject_kind *kind,
                  enum scenario_verdict verdict)
{
    totals->measured += !kind->is_ours;
    if (!kind->is_ours)
        return;
    totals->kept += verdict == SCENARIO_KEPT;
    totals->broken += verdict == SCENARIO_BROKEN;
    totals->is_void += verdict == SCENARIO_VOID;
}

static void skip(struct totals *totals, const struct scenario *scenario,
                 const struct subject_kind *kind, const char *steering)
{
    if (!kind->is_ours)
        return;
    printf("%-11s %-8s %-8s skipped: it cannot do that\n", scenario->name, kind->name, steering);
    totals->skipped++;
}

/* A void run is tried again at half the rate, for as often as there are attempts. */
static void run(const struct scenario *scenario, const struct subject_kind *kind,
                const char *steering, const struct scenario_effort *effort, struct totals *totals)
{
    struct scenario_result result = {.verdict = SCENARIO_VOID};

    if (!kind->can(scenario->needs)) {
        skip(totals, scenario, kind, steering);
        return;
    }
    for (unsigned i = 0; i < effort->attempts && result.verdict == SCENARIO_VOID; i++) {
        scenario_run(scenario, kind, steering, effort, 1U << i, &result);
        print_result(scenario, kind, steering, &result);
    }
    count(totals, kind, result.verdict);
}

static void run_kind(const struct scenario *scenario, const struct subject_kind *kind,
                     const struct choices *steerings, const struct scenario_effort *effort,
                     struct totals *totals)
{
    if (kind->steerings == NULL) {
        run(scenario, kind, NULL, effort, totals);
        return;
    }
    for (const char *const *steering = kind->steerings; *steering != NULL; steering++)
        if (is_chosen(steerings, *steering))
            run(scenario, kind, *steering, effort, totals);
}

static int run_all(const struct choices *names, const struct choices *kind_names,
                   const struct choices *steerings, const struct scenario_effort *effort)
{
    struct totals totals = {0};

    print_heading(effort);
    for (const struct scenario *scenario = scenario_all; scenario->name != NULL; scenario++)
        for (size_t i = 0; i < KINDS; i++)
            if (is_chosen(names, scenario->name) && is_chosen(kind_names, kinds[i]->name) &&
                kinds[i]->is_installed())
                run_kind(scenario, kinds[i], steerings, effort, &totals);
    printf("\n%u kept, %u broken, %u void, %u skipped\n", totals.kept, totals.broken,
           totals.is_void, totals.skipped);
    if (totals.broken + totals.is_void > 0)
        return CHILD_EXIT_FAILED;
    return totals.kept + totals.measured == 0 ? SKIPPED : EXIT_SUCCESS;
}

/* --- options -------------------------------------------------------------------- */

static void add_choice(struct choices *choices, const char *name)
{
    if (choices->count == CHOICES_MAX)
        child_fail("too many names");
    choices->list[choices->count++] = name;
}

static unsigned read_number(const char *text, unsigned least, unsigned most)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || number < least || number > most)
        child_fail("%s: give a number from %u to %u", text, least, most);
    return (unsigned)number;
}

int main(int argc, char **argv)
{
    struct choices names = {.count = 0}, kind_names = {.count = 0}, steerings = {.count = 0};
    struct scenario_effort effort = full;
    unsigned seconds = 0;
    int option;

    setvbuf(stdout, NULL, _IOLBF, 0);
    /* A daemon that has been started by the one before is ours once that has ended. */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1UL) != 0)
        child_fail("cannot adopt orphans");
    while ((option = getopt(argc, argv, "qk:s:r:t:f:n:w:l:")) != -1)
        switch (option) {
        case 'q':
            effort = quick;
            break;
        case 'k':
            add_choice(&kind_names, optarg);
            break;
        case 's':
            add_choice(&steerings, optarg);
            break;
        case 'r':
            effort.queries = effort.queries * read_number(optarg, 100, 10000000) / effort.rate;
            effort.rate = read_number(optarg, 100, 10000000);
            break;
        case 't':
            seconds = read_number(optarg, 1, 1000);
            break;
        case 'f':
            effort.flows = read_number(optarg, 1, LOAD_FLOWS_MAX);
            break;
        case 'n':
            effort.names = read_number(optarg, 1, 10000000);
            break;
        case 'w':
            effort.workers = read_number(optarg, 1, 64);
            break;
        case 'l':
            effort.reloads = read_number(optarg, 1, 10000);
            break;
        default:
            return CHILD_EXIT_BROKEN;
        }
    if (seconds > 0)
        effort.queries = (uint64_t)effort.rate * seconds;
    while (optind < argc)
        add_choice(&names, argv[optind++]);
    return run_all(&names, &kind_names, &steerings, &effort);
}
