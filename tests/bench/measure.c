#include "measure.h"

#include "../loss/child.h"
#include "client.h"
#include "sampler.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const double PACED_PART = 0.5, WARM_UP = 0.1;

void measure_choose_cpus(struct measure_settings *settings)
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

struct round {
    const struct measure_settings *settings;
    const struct workload *workload;
    const struct questions *questions;
    unsigned number;
    double null_rate; /* the null responder's in this round; 0: not measured */
    double null_ns;   /* and its CPU time a query */
    unsigned paced_rate;
};

/* The null responder's are no answers. */
static uint64_t unexpected(const struct server *server, const struct workload *workload,
                           const struct flow_counts *counts)
{
    return workload->mixed || server->kind->no_zones
               ? 0
               : counts->answered - counts->rcode[workload->rcode];
}

static void note_counts(struct measure_outcome *outcome, const struct server *server,
                        const struct workload *workload, const struct flow_counts *counts)
{
    outcome->answered += counts->answered;
    outcome->strange += counts->strange;
    outcome->unexpected += unexpected(server, workload, counts);
}

static void note_cpu(struct measure_outcome *outcome, const struct family_cpu *before,
                     const struct family_cpu *after, const struct sampler_counts *samples,
                     double queries)
{
    double all = (double)(after->all_ns - before->all_ns);
    double user = (double)(after->user_ns - before->user_ns);
    double kernel = (double)(after->kernel_ns - before->kernel_ns);
    uint64_t taken = samples->user + samples->kernel;

    if (taken > 0) {
        outcome->sampled = true;
        user = (double)samples->user;
        kernel = (double)samples->kernel;
        figures_add(&outcome->others, (double)samples->others / (double)(taken + samples->others));
    }
    double part = user + kernel > 0 ? user / (user + kernel) : 0;
    figures_add(&outcome->user_ns, all * part / queries);
    figures_add(&outcome->kernel_ns, all * (1 - part) / queries);
}

static unsigned flows_of(const struct round *round)
{
    return round->workload->flows != 0 ? round->workload->flows : round->settings->flows;
}

static void measure_throughput(const struct round *round, const struct server *server,
                               struct measure_outcome *outcome)
{
    const struct measure_settings *s = round->settings;
    const struct drive_settings load = {.questions = round->questions,
                                        .port = server->port,
                                        .flows = flows_of(round),
                                        .window = s->window,
                                        .seconds = s->seconds,
                                        .warm_up = WARM_UP,
                                        .seed = round->number + 1};
    struct drive_result result;
    struct family family;

    family_find(&family, server->pid);
    struct family_cpu before = family_cpu(&family);
    uint64_t begun = flow_clock();
    sampler_start();
    bool driven = client_run(&load, s->client_cpu, &result);
    struct sampler_counts samples = sampler_stop(&family);
    double wall = (double)(flow_clock() - begun);
    struct family_cpu after = family_cpu(&family);

    if (!driven || result.rate <= 0) {
        outcome->failed++;
        return;
    }
    outcome->measured = true;
    figures_add(&outcome->rate, result.rate);
    figures_add(&outcome->busy, (double)(after.all_ns - before.all_ns) / wall);
    note_cpu(outcome, &before, &after, &samples, (double)result.counts.answered);
    note_counts(outcome, server, round->workload, &result.counts);
    outcome->lost += result.counts.lost;
}

static void measure_latency(const struct round *round, const struct server *server,
                            struct measure_outcome *outcome)
{
    const struct measure_settings *s = round->settings;
    const struct drive_settings load = {.questions = round->questions,
                                        .port = server->port,
                                        .flows = flows_of(round),
                                        .rate = round->paced_rate,
                                        .seconds = s->seconds * PACED_PART,
                                        .warm_up = WARM_UP,
                                        .seed = round->number + 1};
    struct drive_result result;

    if (!client_run(&load, s->client_cpu, &result) || result.rate <= 0)
        return;
    outcome->paced_rate = round->paced_rate;
    outcome->late += result.skipped + result.counts.lost;
    figures_add(&outcome->median_us, result.median_ns / 1e3);
    figures_add(&outcome->p99_us, result.p99_ns / 1e3);
    note_counts(outcome, server, round->workload, &result.counts);
}

/* The null responder, which comes first, sets the pace and is the measure of the others. */
static void measure_server(struct round *round, const struct server *server,
                           struct measure_outcome *outcome)
{
    size_t before = outcome->rate.count;

    measure_throughput(round, server, outcome);
    if (outcome->rate.count == before)
        return;
    double rate = outcome->rate.value[before];
    double ns = outcome->user_ns.value[before] + outcome->kernel_ns.value[before];
    if (server->kind->is_measure) {
        round->null_rate = rate;
        round->null_ns = ns;
    }
    if (round->paced_rate == 0)
        round->paced_rate = (unsigned)(rate / 2);
    if (round->null_rate > 0) {
        figures_add(&outcome->ratio, rate / round->null_rate);
        figures_add(&outcome->cpu_ratio, round->null_ns / ns);
    }
    measure_latency(round, server, outcome);
}

static void show_progress(const struct round *round, const char *server)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%s: round %u of %u, %s\033[K", round->workload->name, round->number + 1,
                round->settings->rounds, server);
}

void measure(const struct measure_settings *settings, const struct workload *workload,
             const struct questions *questions, struct server *servers, size_t count,
             struct measure_outcome *outcomes)
{
    struct round round = {.settings = settings, .workload = workload, .questions = questions};

    for (round.number = 0; round.number < settings->rounds; round.number++) {
        round.null_rate = 0;
        for (size_t i = 0; i < count; i++) {
            /* The null responder first; who follows whom changes from round to round. */
            size_t k = i == 0 ? 0 : 1 + (i - 1 + round.number) % (count - 1);
            if (servers[k].pid == 0)
                continue;
            show_progress(&round, servers[k].kind->name);
            measure_server(&round, &servers[k], &outcomes[k]);
        }
    }
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}
