#include "tools/spread/reading.h"

#include "tools/spread/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Costs of one run on a machine that does other things as well differ by less for no reason. (Rates
 * differ by anything: they are not compared.) */
static const double notable_ratio = 1.25;

/* The cells of one policy: from `first` up to `end`. */
struct group {
    const struct cells *cells;
    const struct policy *policy;
    size_t first, end;
};

static const char *plural(double n)
{
    return n == 1 ? "" : "s";
}

/* What a flow is, as people say. */
static const char *flow_word(const struct cells *cells)
{
    return cells->tcp ? "connection" : "flow";
}

/* --- shares ------------------------------------------------------------------------ */

static unsigned busy_workers(const struct cell *cell)
{
    unsigned busy = 0;

    for (unsigned i = 0; i < cell->workers; i++)
        busy += cell->tally.workers[i] > 0;
    return busy;
}

/* "With 16 flows 1.55, with 1000 flows 1.07". Only those with more flows than one. */
static void list_busiest(const struct group *group, FILE *out)
{
    const char *with = "With";

    for (size_t i = group->first; i < group->end; i++) {
        const struct cell *cell = &group->cells->items[i];
        if (cell->flows == 1)
            continue;
        fprintf(out, "%s %u %ss %.2f", with, cell->flows, flow_word(group->cells),
                cell_figures(group->cells, cell).busiest);
        with = ", with";
    }
}

/* The cells that are further from even than chance is in 99 of 100 cases, and the worst of all. */
static size_t count_outside(const struct group *group, bool below, struct figures *worst)
{
    size_t outside = 0;

    *worst = (struct figures){0};
    for (size_t i = group->first; i < group->end; i++) {
        struct figures figures = cell_figures(group->cells, &group->cells->items[i]);
        /* Shares are of answers, the last of which may be spread by one more or less. */
        double grain = 1e-3;
        outside +=
            below ? figures.busiest < figures.low - grain : figures.busiest > figures.high + grain;
        if (figures.busiest > worst->busiest)
            *worst = figures;
    }
    return outside;
}

static bool has_many_flows(const struct group *group)
{
    for (size_t i = group->first; i < group->end; i++)
        if (group->cells->items[i].flows > 1)
            return true;
    return false;
}

static void read_one_flow(const struct group *group, const struct cell *cell, FILE *out)
{
    unsigned busy = busy_workers(cell);
    const char *flow = flow_word(group->cells);

    if (busy == 1)
        fprintf(out,
                "One %s kept one worker busy and left %u idle: its addresses and ports, which the "
                "kernel hashes, are always the same. ",
                flow, cell->workers - 1);
    else
        fprintf(out,
                "One %s reached %u of %u workers: it is not spread by its addresses and "
                "ports. ",
                flow, busy, cell->workers);
}

/* Flows are placed as a whole. */
static void read_flows(const struct group *group, FILE *out)
{
    const struct cell *first = &group->cells->items[group->first];
    struct figures worst;

    if (first->flows == 1)
        read_one_flow(group, first, out);
    if (!has_many_flows(group))
        return;
    list_busiest(group, out);
    fputs(" times the mean for the busiest worker: ", out);
    size_t outside = count_outside(group, false, &worst);
    if (outside > 0)
        fprintf(out, "%zu of %zu rows are more uneven than chance explains.", outside,
                group->end - group->first);
    else if (group->policy == &policy_of_server && count_outside(group, true, &worst) > 0)
        fputs("more even than flows by chance would be.", out);
    else
        fprintf(out,
                "what chance does when %ss are thrown at workers, and the more even the more there "
                "are.",
                flow_word(group->cells));
}

/* Queries are placed one by one. */
static void read_queries(const struct group *group, FILE *out)
{
    struct figures worst;
    size_t outside = count_outside(group, false, &worst);

    fprintf(out,
            "Each query is placed by itself, so the flows do not matter: the busiest worker "
            "had at most %.3f times the mean",
            worst.busiest);
    if (outside == 0)
        fputs(", no more than chance explains.", out);
    else
        fprintf(out,
                "; %zu of %zu rows are more uneven than chance explains. Workers that are left out "
                "for a while, as stalled ones are, would do that.",
                outside, group->end - group->first);
}

static void read_cpus(const struct group *group, FILE *out)
{
    fputs("Each query goes to the worker of the CPU that receives it: ", out);
    for (size_t i = group->first; i < group->end; i++) {
        const struct cell *cell = &group->cells->items[i];
        unsigned busy = busy_workers(cell);
        fprintf(out, "%s%u %s%s reached %u worker%s", i > group->first ? ", " : "", cell->flows,
                flow_word(group->cells), plural(cell->flows), busy, plural(busy));
    }
    const struct cell *last = &group->cells->items[group->end - 1];
    fprintf(out, " of %u.", last->workers);
    if (busy_workers(last) < last->workers)
        fputs(" A worker whose CPU receives nothing has nothing to do: run as many as CPUs.", out);
}

enum cost { COST_CPU, COST_SWITCHES, COST_EMPTY };

/* The mean over a group of what each answer has cost; negative if it is not known. */
static double mean_cost(const struct group *group, enum cost what)
{
    double sum = 0;

    for (size_t i = group->first; i < group->end; i++) {
        struct figures figures = cell_figures(group->cells, &group->cells->items[i]);
        double cost = what == COST_CPU        ? figures.cpu
                      : what == COST_SWITCHES ? figures.switches
                                              : figures.empty;
        if (cost < 0)
            return -1;
        sum += cost;
    }
    return sum / (double)(group->end - group->first);
}

static void read_waiters(const struct group *group, FILE *out)
{
    double empty = mean_cost(group, COST_EMPTY), switches = mean_cost(group, COST_SWITCHES);

    fputs("All workers wait at one socket, and who is quickest gets the query.", out);
    if (empty >= 0)
        fprintf(out, " For 100 answers a worker was woken %.3g times and found nothing to read.",
                100 * empty);
    if (switches >= 0)
        fprintf(out,
                " Most that are woken in vain the kernel sends back to sleep by itself: they show "
                "as context switches only, of which there were %.3g for 100 answers.",
                100 * switches);
}

/* --- what concerns several policies --------------------------------------------------- */

/* Goes from policy to policy. False at the end. */
static bool next_group(struct group *group)
{
    const struct cells *cells = group->cells;

    group->first = group->end;
    if (group->first == cells->count)
        return false;
    group->policy = cells->items[group->first].policy;
    while (group->end < cells->count && cells->items[group->end].policy == group->policy)
        group->end++;
    return true;
}

/* What a comparison is about: all rows of a policy together. Negative: not known. */
typedef double reading_measure(const struct group *group);

static double cpu_time(const struct group *group)
{
    return mean_cost(group, COST_CPU);
}

static double hundredfold_switches(const struct group *group)
{
    return 100 * mean_cost(group, COST_SWITCHES);
}

struct comparison {
    reading_measure *measure;
    const char *subject;
    int digits;
    const char *unit;
};

/* Names the policies that have most and least, if they differ by enough to be no accident. */
static void compare(const struct cells *cells, const struct comparison *comparison, FILE *out)
{
    struct group group = {.cells = cells};
    const struct policy *most_of = NULL, *least_of = NULL;
    double most = -1, least = INFINITY;
    char text[2][NUMBER_MAX];

    while (next_group(&group)) {
        double value = comparison->measure(&group);
        if (value < 0)
            return;
        if (value > most) {
            most = value;
            most_of = group.policy;
        }
        if (value < least) {
            least = value;
            least_of = group.policy;
        }
    }
    if (most_of == least_of || most < notable_ratio * least)
        return;
    fprintf(out, "%s: least under %s (%s%s), most under %s (%s%s). ", comparison->subject,
            least_of->name, number_decimal(least, comparison->digits, text[0]), comparison->unit,
            most_of->name, number_decimal(most, comparison->digits, text[1]), comparison->unit);
}

/* --- paragraphs ---------------------------------------------------------------------- */

typedef void reading_writer(const void *subject, FILE *out);

static void write_group(const void *subject, FILE *out)
{
    const struct group *group = subject;

    if (group->policy != &policy_of_server)
        fprintf(out, "%s: ", group->policy->name);
    if (group->cells->items[group->first].workers < 2) {
        fputs("All answers came from one worker, or from several that say the same of themselves: "
              "there is no spread to be seen.",
              out);
        return;
    }
    if (group->cells->tcp && group->policy->datagrams != group->policy->connections)
        fputs("It sees no connections: the kernel's hash places them. ", out);
    switch (policy_ball(group->policy, group->cells->tcp)) {
    case POLICY_FLOWS:
        read_flows(group, out);
        break;
    case POLICY_QUERIES:
        read_queries(group, out);
        break;
    case POLICY_CPUS:
        read_cpus(group, out);
        break;
    case POLICY_WAITERS:
        read_waiters(group, out);
        break;
    }
}

static void write_comparisons(const void *subject, FILE *out)
{
    static const struct comparison comparisons[] = {
        {cpu_time, "CPU time of the workers for an answer", 2, " us"},
        {hundredfold_switches, "Context switches of the workers for 100 answers", 1, ""},
    };

    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++)
        compare(subject, &comparisons[i], out);
}

/* Has `writer` write a paragraph; an empty one is left out. */
static bool add(struct reading *reading, reading_writer *writer, const void *subject)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        return false;
    writer(subject, out);
    if (fclose(out) != 0) {
        free(text);
        return false;
    }
    char **grown = reallocarray(reading->paragraphs, reading->count + 1, sizeof *grown);
    if (grown == NULL || length == 0) {
        free(text);
        if (grown != NULL)
            reading->paragraphs = grown;
        return grown != NULL;
    }
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
    reading->paragraphs = grown;
    grown[reading->count++] = text;
    return true;
}

bool reading_make(struct reading *reading, const struct cells *cells)
{
    struct group group = {.cells = cells};
    bool done = true;

    *reading = (struct reading){0};
    while (done && next_group(&group))
        done = add(reading, write_group, &group);
    return done && add(reading, write_comparisons, cells);
}

void reading_free(struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++)
        free(reading->paragraphs[i]);
    free(reading->paragraphs);
    *reading = (struct reading){0};
}
