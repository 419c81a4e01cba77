#include "server/statistics/diagnosis.h"

#include "server/statistics/members.h"
#include "server/statistics/words.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Below this busiest by mean, nobody would call it uneven. */
static const double uneven = 1.2;

/* Nor mind this share of wake-ups in vain. */
static const double wasteful = 0.1;

static const char *const levels[] = {"fine", "note", "problem"};

enum level { FINE, NOTE, PROBLEM };

/* --- findings ------------------------------------------------------------------------ */

static size_t rank(const char *level)
{
    size_t i = sizeof levels / sizeof levels[0] - 1;

    while (i > 0 && strcmp(levels[i], level) != 0)
        i--;
    return i;
}

const char *diagnosis_worse(const char *a, const char *b)
{
    return levels[rank(a) > rank(b) ? rank(a) : rank(b)];
}

const char *diagnosis_level(const json_t *findings)
{
    const char *worst = levels[FINE];
    size_t i;
    json_t *finding;

    json_array_foreach(findings, i, finding) worst =
        diagnosis_worse(worst, members_text(finding, "level"));
    return worst;
}

static json_t *add(json_t *findings, enum level level, const char *cause, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds a finding behind those that are as bad. */
static json_t *add(json_t *findings, enum level level, const char *cause, const char *format, ...)
{
    va_list arguments;
    size_t place = 0;

    va_start(arguments, format);
    json_t *finding = json_pack("{s:s, s:s, s:o}", "level", levels[level], "cause", cause,
                                "sentence", json_vsprintf(format, arguments));
    va_end(arguments);
    while (place < json_array_size(findings) &&
           rank(members_text(json_array_get(findings, place), "level")) >= level)
        place++;
    json_array_insert_new(findings, place, finding);
    return finding;
}

static void advise(json_t *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void advise(json_t *finding, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    json_object_set_new(finding, "advice", json_vsprintf(format, arguments));
    va_end(arguments);
}

/* --- words ---------------------------------------------------------------------------- */

/* "1 worker", "1,234 workers" */
static const char *count_of(double number, const char *thing, char text[WORDS_MAX])
{
    char digits[WORDS_MAX];

    snprintf(text, WORDS_MAX, "%s %s%s", words_grouped(number, digits), thing,
             number == 1 ? "" : "s");
    return text;
}

/* A share in per cent; one decimal only where it tells something. */
static const char *percent(double share, char text[WORDS_MAX])
{
    double value = share * 100;
    bool fine = (value > 0 && value < 9.95) || (value > 99 && value < 100);

    snprintf(text, WORDS_MAX, fine ? "%.1f %%" : "%.0f %%", value);
    return text;
}

/* Of groups with a band: "1.50 x the mean (1.25 to 2.25)". */
static const char *expected_text(const struct explain_group *group, char text[WORDS_MAX])
{
    double workers = (double)group->receiving;

    snprintf(text, WORDS_MAX, "about %.2f, and up to %.2f", group->band.busiest_typical * workers,
             group->band.busiest_high * workers);
    return text;
}

/* --- hash ----------------------------------------------------------------------------- */

static void blame_heavy_clients(json_t *findings, const struct explain_group *group, size_t heavy,
                                double sum)
{
    const struct explain_worker *busiest = &group->workers[group->busiest];
    char share[WORDS_MAX], part[WORDS_MAX], number[WORDS_MAX];
    json_t *finding;

    if (heavy == 1)
        finding = add(
            findings, PROBLEM, "heavy-client",
            "1 client port (%s) carries %s of the queries; hash cannot split one flow, so "
            "worker %u gets %s.",
            group->clients[0], percent(sum, share), busiest->worker, percent(busiest->share, part));
    else
        finding = add(findings, PROBLEM, "heavy-clients",
                      "%s carry %s of the queries (the busiest: %s); hash sends each as a whole to "
                      "one worker, so worker %u gets %s.",
                      count_of((double)heavy, "client port", number), percent(sum, share),
                      group->clients[0], busiest->worker, percent(busiest->share, part));
    advise(finding, "sorrelctl steering query");
}

/* Clients that no spread of flows could make even. */
static bool find_heavy_clients(json_t *findings, const struct explain_group *group)
{
    double mean = 1 / (double)group->receiving, sum = 0;
    size_t heavy = 0;

    if (group->client_count == 0 || group->heavy[0] < uneven * mean)
        return false;
    while (heavy < group->client_count && group->heavy[heavy] >= fmax(mean / 2, 0.05))
        sum += group->heavy[heavy++];
    blame_heavy_clients(findings, group, heavy, sum);
    return true;
}

static void find_few_flows(json_t *findings, const struct explain_group *group)
{
    char flows[WORDS_MAX], workers[WORDS_MAX], expected[WORDS_MAX];
    json_t *finding;

    if (group->flows < (double)group->receiving)
        finding = add(findings, PROBLEM, "few-flows",
                      "There is only %s for %s: hash leaves at least %.0f of them idle.",
                      count_of(group->flows, "client port", flows),
                      count_of((double)group->receiving, "worker", workers),
                      (double)group->receiving - group->flows);
    else
        finding = add(findings, NOTE, "bad-luck",
                      "The busiest of %s gets %.2f times the mean. With %s that is chance: hash "
                      "makes it %s.",
                      count_of((double)group->receiving, "worker", workers), group->imbalance,
                      count_of(group->flows, "client port", flows), expected_text(group, expected));
    advise(finding, "sorrelctl steering query");
}

/* --- what is outside of the band --------------------------------------------------------- */

/* The worker that is farthest from its band; the count of all workers if none is. */
static size_t find_oddest(const struct explain_group *group)
{
    size_t oddest = group->count;
    double farthest = 0;

    for (size_t i = 0; i < group->count; i++) {
        double distance = fabs(group->workers[i].share - 1 / (double)group->receiving);
        if (explain_group_is_odd(group, i) && distance > farthest) {
            farthest = distance;
            oddest = i;
        }
    }
    return oddest;
}

static void report_odd(json_t *findings, const struct explain_group *group, size_t odd)
{
    const struct explain_worker *worker = &group->workers[odd];
    char share[WORDS_MAX], low[WORDS_MAX], high[WORDS_MAX];
    json_t *finding;

    percent(worker->share, share);
    percent(group->band.low, low);
    percent(group->band.high, high);
    if (strcmp(group->policy, "query") == 0) {
        finding = add(findings, PROBLEM, "message-ids",
                      "Worker %u gets %s, where random message IDs would give each %s to %s: some "
                      "client uses the same IDs again and again%s%s.",
                      worker->worker, share, low, high, group->client_count > 0 ? ", perhaps " : "",
                      group->client_count > 0 ? group->clients[0] : "");
        advise(finding, "sorrelctl steering random");
        return;
    }
    finding = add(findings, PROBLEM, "not-chance",
                  "Worker %u gets %s, where chance gives each %s to %s: something else is at work, "
                  "for instance a change of workers or policy during these seconds, or another "
                  "program that has joined the address.",
                  worker->worker, share, low, high);
    advise(finding, "if it stays so, see sorrelctl status, and who has the port: ss -lunp");
}

/* --- one function for each policy ----------------------------------------------------- */

static void explain_even(json_t *findings, const struct explain_group *group)
{
    char expected[WORDS_MAX], workers[WORDS_MAX];

    add(findings, FINE, "even",
        "Evenly spread: the busiest of %s gets %.2f times the mean, where %s makes it %s.",
        count_of((double)group->receiving, "worker", workers), group->imbalance, group->policy,
        expected_text(group, expected));
}

static void explain_hash(json_t *findings, const struct explain_group *group)
{
    size_t odd = find_oddest(group);

    if (!group->has_band) {
        add(findings, NOTE, "unknown-flows",
            "How many clients there are is not known, so neither is what hash should make of "
            "them.");
        return;
    }
    if (find_heavy_clients(findings, group))
        return;
    if (odd < group->count)
        report_odd(findings, group, odd);
    else if (group->imbalance >= uneven)
        find_few_flows(findings, group);
    else
        explain_even(findings, group);
}

static void explain_by_query(json_t *findings, const struct explain_group *group)
{
    size_t odd = find_oddest(group);

    if (odd < group->count)
        report_odd(findings, group, odd);
    else
        explain_even(findings, group);
}

static void explain_cpu(json_t *findings, const struct explain_group *group)
{
    const struct explain_worker *busiest = &group->workers[group->busiest];
    size_t used = 0;
    char share[WORDS_MAX];
    json_t *finding;

    for (size_t i = 0; i < group->count; i++)
        used += group->workers[i].share >= 0.01;
    if (used > 1 && group->imbalance < 1.5) {
        add(findings, FINE, "by-cpu",
            "Each worker gets what its CPU receives: the busiest %.2f times the mean.",
            group->imbalance);
        return;
    }
    if (used == 1)
        finding =
            add(findings, PROBLEM, "one-receive-queue",
                "%s of the queries are received by one CPU, worker %u's: the network card has "
                "one receive queue, or one client sends nearly all.",
                percent(busiest->share, share), busiest->worker);
    else
        finding = add(findings, NOTE, "uneven-receive-queues",
                      "Worker %u gets %s, as its CPU receives so much: the network card's queues, "
                      "not sorrel, decide that.",
                      busiest->worker, percent(busiest->share, share));
    advise(finding, "spread the card's queues (ethtool -L, or rps_cpus in /sys/class/net), or "
                    "sorrelctl steering query");
}

static void explain_shared(json_t *findings, const struct explain_group *group)
{
    add(findings, FINE, "shared",
        "All workers wait at one socket, and whoever is free takes what is there: the busiest got "
        "%.2f times the mean, and nothing follows from that.",
        group->imbalance);
}

static void explain_policy(json_t *findings, const struct explain_group *group)
{
    static const struct {
        const char *policy;
        void (*function)(json_t *findings, const struct explain_group *group);
    } policies[] = {{"hash", explain_hash},
                    {"query", explain_by_query},
                    {"random", explain_by_query},
                    {"cpu", explain_cpu},
                    {"shared", explain_shared}};

    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++)
        if (strcmp(policies[i].policy, group->policy) == 0) {
            policies[i].function(findings, group);
            return;
        }
    add(findings, FINE, "other-policy", "The busiest worker gets %.2f times the mean.",
        group->imbalance);
}

/* --- drops and queues ------------------------------------------------------------------ */

/* The worker that drops most, if it drops nearly all while others get less. */
static const struct explain_worker *find_drowning(const struct explain_group *group)
{
    const struct explain_worker *worst = &group->workers[0];

    for (size_t i = 1; i < group->count; i++)
        if (group->workers[i].drops > worst->drops)
            worst = &group->workers[i];
    return group->count > 1 && group->imbalance >= 1.5 && worst->drops > group->drops * 0.8 ? worst
                                                                                            : NULL;
}

static void advise_on_drops(json_t *finding, const struct explain_group *group, bool one_drowns)
{
    enum { SMALL_BUFFER = 4 << 20, GOOD_BUFFER = 64 << 20 };

    if (one_drowns && strcmp(group->policy, "query") != 0)
        advise(finding, "sorrelctl steering query");
    else if (group->cpus > (double)group->count)
        advise(finding, "sorrelctl workers %.0f", group->cpus);
    else if (group->workers[0].queue_max > 0 && group->workers[0].queue_max < SMALL_BUFFER)
        advise(finding,
               "larger receive buffers: sysctl net.core.rmem_max=%d, then sorrelctl takeover",
               GOOD_BUFFER);
    else
        advise(finding, "if it lasts, more CPUs and as many workers; if these were bursts, larger "
                        "receive buffers");
}

static void find_drops(json_t *findings, const struct explain_group *group)
{
    const struct explain_worker *drowning = find_drowning(group);
    char number[WORDS_MAX], share[WORDS_MAX], who[WORDS_MAX] = "";

    if (group->drops <= 0)
        return;
    percent(group->drops / (group->drops + group->queries), share);
    if (drowning != NULL)
        snprintf(who, sizeof who, ", nearly all of them worker %u's", drowning->worker);
    json_t *finding = add(findings, PROBLEM, "drops",
                          "The kernel dropped %s (%s of those that came) as receive queues were "
                          "full%s.",
                          count_of(group->drops, "datagram", number), share, who);
    advise_on_drops(finding, group, drowning != NULL);
}

static void find_past_drops(json_t *findings, const struct explain_group *group)
{
    char number[WORDS_MAX];

    if (group->all_drops > group->drops && group->drops <= 0)
        add(findings, NOTE, "past-drops",
            "%s dropped since the start, as receive queues were full; none of late.",
            count_of(group->all_drops, "datagram", number));
}

static void find_full_queues(json_t *findings, const struct explain_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct explain_worker *worker = &group->workers[i];
        char share[WORDS_MAX];
        if (worker->queue_max <= 0 || worker->queue < worker->queue_max / 2)
            continue;
        add(findings, PROBLEM, "full-queue", "The receive queue of worker %u is %s full.",
            worker->worker, percent(worker->queue / worker->queue_max, share));
    }
}

/* --- a group ----------------------------------------------------------------------------- */

static bool has_few_queries(const struct explain_group *group)
{
    return group->queries < 10 * (double)group->receiving;
}

json_t *diagnosis_of_group(const struct explain_group *group)
{
    json_t *findings = json_array();
    char number[WORDS_MAX];

    if (group->queries <= 0)
        add(findings, FINE, "idle", "There have been no queries to tell from.");
    else if (group->receiving > 1 && has_few_queries(group))
        add(findings, FINE, "few-queries", "%s %s: too few to tell chance from a cause.",
            words_grouped(group->queries, number), group->queries == 1 ? "query" : "queries");
    else if (group->count == 1)
        add(findings, FINE, "one-worker", "There is one worker, and it gets everything.");
    else if (group->receiving > 1)
        explain_policy(findings, group);
    find_drops(findings, group);
    find_past_drops(findings, group);
    find_full_queues(findings, group);
    if (json_array_size(findings) == 0)
        add(findings, NOTE, "one-serves", "Only one worker serves at the moment.");
    return findings;
}

/* --- the daemon -------------------------------------------------------------------------- */

static void find_other_policy(json_t *findings, const json_t *stats)
{
    const json_t *steering = json_object_get(stats, "steering");
    const char *wanted = members_text(steering, "policy");
    const char *effective = members_text(steering, "effective");
    const char *proof = members_text(steering, "proof");

    if (*effective == '\0' || strcmp(wanted, effective) == 0)
        return;
    add(findings, PROBLEM, "other-policy", "The policy asked for is %s, but in force is %s%s%s.",
        wanted, effective, *proof != '\0' ? ": " : "", proof);
}

static void find_crowd(json_t *findings, const json_t *stats)
{
    double cpus = members_number(stats, "cpus");
    double workers = (double)json_array_size(json_object_get(stats, "workers"));
    char text[WORDS_MAX], other[WORDS_MAX];

    if (cpus < 1 || workers <= cpus)
        return;
    json_t *finding = add(findings, NOTE, "more-workers-than-cpus",
                          "%s share %s: they take turns, and answer no more than fewer would.",
                          count_of(workers, "worker", text), count_of(cpus, "CPU", other));
    advise(finding, "sorrelctl workers %.0f", cpus);
}

static void find_absent_workers(json_t *findings, const json_t *stats)
{
    static const struct {
        const char *state;
        enum level level;
        const char *meaning;
    } states[] = {{"starting", NOTE, "is starting, and gets nothing before it reads"},
                  {"stalled", PROBLEM,
                   "has work and does nothing: it is left out, and replaced "
                   "unless it goes on"},
                  {"waiting", PROBLEM,
                   "has died again and again and is left out for a while; the "
                   "log tells of what"},
                  {"retiring", NOTE, "gets no more, and ends once it is done"}};
    size_t i;
    json_t *worker;

    json_array_foreach(json_object_get(stats, "workers"), i, worker)
    {
        for (size_t j = 0; j < sizeof states / sizeof states[0]; j++)
            if (strcmp(states[j].state, members_text(worker, "state")) == 0)
                add(findings, states[j].level, states[j].state, "Worker %.0f %s.",
                    members_number(worker, "worker"), states[j].meaning);
    }
}

/* What waiting at one socket costs. */
static void find_wasted_wakeups(json_t *findings, const json_t *stats)
{
    double all = 0, empty = 0;
    size_t i;
    json_t *worker;
    char share[WORDS_MAX];

    if (strcmp(members_text(json_object_get(stats, "steering"), "policy"), "shared") != 0)
        return;
    json_array_foreach(json_object_get(stats, "workers"), i, worker)
    {
        all += members_number(worker, "wakeups");
        empty += members_number(worker, "wakeups_empty");
    }
    if (all <= 0 || empty / all < wasteful)
        return;
    json_t *finding =
        add(findings, NOTE, "wasted-wakeups",
            "%s of the times that a worker woke up, another had taken everything: the "
            "price of one shared socket.",
            percent(empty / all, share));
    advise(finding, "sorrelctl steering query");
}

json_t *diagnosis_of_daemon(const json_t *stats)
{
    json_t *findings = json_array();

    find_other_policy(findings, stats);
    find_absent_workers(findings, stats);
    find_crowd(findings, stats);
    find_wasted_wakeups(findings, stats);
    return findings;
}
