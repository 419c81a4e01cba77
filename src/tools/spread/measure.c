#include "tools/spread/measure.h"

#include "config.h"
#include "tools/spread/datagrams.h"
#include "tools/spread/interrupt.h"
#include "tools/spread/streams.h"
#include "tools/spread/ticker.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Seconds for all rows together, and for each of the last ones if the others took too long; unless
 * the user has said how many queries there are to be. */
static const double budget = 50, least_seconds = 0.5, no_limit = 1e6;

/* What a look at a server consists of that does not say how many workers it has, and how long it
 * takes one that does not answer. */
enum { LOOK_FLOWS = 64, LOOK_QUERIES = 512 };
static const double look_seconds = 0.5;

struct measurement {
    struct cells *cells;
    const struct arguments *arguments;
    measure_watcher *watcher;
    struct daemon *daemon; /* NULL: somebody else's server */
    const union address *server;
    struct roster roster;
    struct ticker ticker;
    const struct policy *policy;
    unsigned flows;
    size_t rows;      /* that there will be */
    size_t rows_left; /* that are still to be measured */
    uint64_t started;
};

static void show_progress(void *closure, double part)
{
    struct measurement *measurement = closure;
    char what[64];

    snprintf(what, sizeof what, "%s, %u %s%s", measurement->policy->name, measurement->flows,
             measurement->arguments->tcp ? "connection" : "flow",
             measurement->flows == 1 ? "" : "s");
    ticker_show(&measurement->ticker,
                ((double)measurement->cells->count + part) / (double)measurement->rows, what);
}

static bool send_traffic(struct measurement *measurement, uint64_t queries, double seconds,
                         struct traffic_tally *tally, char error[MEASURE_ERROR_MAX])
{
    const struct arguments *arguments = measurement->arguments;
    char reason[TRAFFIC_ERROR_MAX];
    struct traffic traffic = {
        .server = measurement->server,
        .question = &arguments->question,
        .roster = &measurement->roster,
        .flows = measurement->flows,
        .queries = queries,
        .seconds = seconds,
        .by_cpu = policy_ball(measurement->policy, arguments->tcp) == POLICY_CPUS,
        .progress = show_progress,
        .closure = measurement,
    };
    bool sent = (arguments->tcp ? streams_run : datagrams_run)(&traffic, tally, reason);

    if (!sent)
        snprintf(error, MEASURE_ERROR_MAX, "%s", reason);
    return sent && !interrupt_came();
}

/* How long the next row may take: its part of the time that is left. */
static double seconds_for_row(const struct measurement *measurement)
{
    double spent = (double)(traffic_clock() - measurement->started) / 1e9;

    if (measurement->arguments->queries_named)
        return no_limit;
    return fmax((budget - spent) / (double)measurement->rows_left, least_seconds);
}

static bool measure_cell(struct measurement *measurement, char error[MEASURE_ERROR_MAX])
{
    static struct cell cell;
    struct usage before = {-1, -1, -1}, after = {-1, -1, -1};

    cell = (struct cell){.policy = measurement->policy, .flows = measurement->flows};
    if (measurement->daemon != NULL)
        usage_read(&before, measurement->daemon);
    if (!send_traffic(measurement, measurement->cells->queries, seconds_for_row(measurement),
                      &cell.tally, error))
        return false;
    if (measurement->daemon != NULL)
        usage_read(&after, measurement->daemon);
    measurement->rows_left--;
    cell.usage = usage_since(&before, &after);
    cell.workers = measurement->roster.count;
    struct cell *kept = cells_add(measurement->cells);
    if (kept == NULL) {
        snprintf(error, MEASURE_ERROR_MAX, "%s", strerror(errno));
        return false;
    }
    *kept = cell;
    ticker_hide(&measurement->ticker);
    measurement->watcher(measurement->cells, kept, cell.workers);
    return true;
}

static bool measure_flows(struct measurement *measurement, char error[MEASURE_ERROR_MAX])
{
    const struct arguments *arguments = measurement->arguments;

    for (size_t i = 0; i < arguments->flow_count; i++) {
        measurement->flows = arguments->flows[i];
        if (!measure_cell(measurement, error))
            return false;
    }
    return true;
}

static void start(struct measurement *measurement, struct cells *cells,
                  const struct arguments *arguments, measure_watcher *watcher, size_t policies)
{
    cells->tcp = arguments->tcp;
    cells->queries = arguments->queries;
    measurement->cells = cells;
    measurement->arguments = arguments;
    measurement->watcher = watcher;
    measurement->rows = policies * arguments->flow_count;
    measurement->rows_left = measurement->rows;
    measurement->started = traffic_clock();
    ticker_start(&measurement->ticker);
}

/* --- daemons of our own -------------------------------------------------------------- */

static void skip(struct cells *cells, const struct policy *policy, const char *reason)
{
    struct cell_skipped *skipped = &cells->skipped[cells->skipped_count++];

    skipped->policy = policy;
    snprintf(skipped->reason, sizeof skipped->reason, "%s", reason);
}

static bool measure_policy(struct measurement *measurement, char error[MEASURE_ERROR_MAX])
{
    struct daemon *daemon = measurement->daemon;
    char reason[DAEMON_ERROR_MAX];

    if (!daemon_start(daemon, measurement->policy->name, measurement->arguments->workers, reason)) {
        skip(measurement->cells, measurement->policy, reason);
        measurement->rows_left -= measurement->arguments->flow_count;
        snprintf(error, MEASURE_ERROR_MAX, "%s with %s: %s", daemon->program,
                 measurement->policy->name, reason);
        return !interrupt_came() && !measurement->arguments->policies_named;
    }
    measurement->server = &daemon->address;
    roster_start(&measurement->roster, measurement->arguments->workers);
    bool done = measure_flows(measurement, error);
    ticker_hide(&measurement->ticker);
    daemon_stop(daemon);
    return done;
}

bool measure_policies(struct cells *cells, const struct arguments *arguments, struct daemon *daemon,
                      measure_watcher *watcher, char error[MEASURE_ERROR_MAX])
{
    static struct measurement measurement;

    start(&measurement, cells, arguments, watcher, arguments->policy_count);
    measurement.daemon = daemon;
    snprintf(cells->server, sizeof cells->server, "%s, %u workers", daemon->program,
             arguments->workers);
    watcher(cells, NULL, arguments->workers);
    for (size_t i = 0; i < arguments->policy_count; i++) {
        measurement.policy = arguments->policies[i];
        if (!measure_policy(&measurement, error))
            return false;
    }
    ticker_hide(&measurement.ticker);
    return cells->count > 0;
}

/* --- somebody else's server ---------------------------------------------------------- */

/* Sends some queries, to see who answers. */
static bool look(struct measurement *measurement, unsigned flows, uint64_t queries,
                 char error[MEASURE_ERROR_MAX])
{
    static struct traffic_tally tally;
    const char *server = measurement->arguments->server_text;

    measurement->flows = flows;
    if (!send_traffic(measurement, queries, look_seconds, &tally, error))
        return false;
    if (tally.answered == 0) {
        snprintf(error, MEASURE_ERROR_MAX, "%s does not answer", server);
        return false;
    }
    if (measurement->roster.count == 0) {
        snprintf(error, MEASURE_ERROR_MAX,
                 "%s answers, but does not tell who of its workers did: there is no NSID in its "
                 "answers (sorreld has the option -i for it)",
                 server);
        return false;
    }
    return true;
}

/* Learns how many workers there are: sorreld tells in each answer, of others those count that can
 * be seen. */
static bool look_at_server(struct measurement *measurement, char error[MEASURE_ERROR_MAX])
{
    return look(measurement, 1, 1, error) &&
           (measurement->roster.count > 1 || look(measurement, LOOK_FLOWS, LOOK_QUERIES, error));
}

bool measure_server(struct cells *cells, const struct arguments *arguments,
                    measure_watcher *watcher, char error[MEASURE_ERROR_MAX])
{
    static struct measurement measurement;

    start(&measurement, cells, arguments, watcher, 1);
    measurement.policy = &policy_of_server;
    measurement.server = &arguments->server;
    roster_start(&measurement.roster, 0);
    cells->roster = &measurement.roster;
    if (!look_at_server(&measurement, error)) {
        ticker_hide(&measurement.ticker);
        return false;
    }
    snprintf(cells->server, sizeof cells->server, "%s, %u worker%s", arguments->server_text,
             measurement.roster.count, measurement.roster.count == 1 ? "" : "s");
    watcher(cells, NULL, measurement.roster.count);
    bool done = measure_flows(&measurement, error);
    /* Others may have answered for the first time. */
    for (size_t i = 0; i < cells->count; i++)
        cells->items[i].workers = measurement.roster.count;
    ticker_hide(&measurement.ticker);
    return done;
}
