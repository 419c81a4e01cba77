#include "scenario.h"

#include "child.h"
#include "machine.h"
#include "zonetext.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    /* What a busy machine may take to do what usually takes milliseconds. */
    PATIENCE_SECONDS = 60,

    /* After it has said that a reload is done: for builders to end, and memory to go back. */
    SETTLING_SECONDS = 5,

    /* Percent of the machine: what others may have while a server of ours is held to its promise.
     */
    OTHERS_MAX = 10,

    /* Of the queries: how many have been sent when the event begins. */
    LEAD = 4,

    /* Steps of an event are this far apart, in time: each finds the server at work. */
    PACE_PER_SECOND = 20,
};

/* How often a thing is done: ours has to stand it again and again, the others to show what it
 * costs. */
static unsigned times_for(const struct subject *subject, unsigned times)
{
    return subject->kind->is_ours ? times : 1;
}

/* Where an event takes place. */
struct scenario_stage {
    struct subject *subject;
    struct load *load;
    const struct scenario_effort *effort;
    unsigned rate;
    uint32_t certain; /* version that is known to be served by every worker */
    unsigned kills;
    char *trouble;
    size_t trouble_room;
};

static void __attribute__((format(printf, 2, 3)))
say_trouble(struct scenario_stage *stage, const char *format, ...)
{
    va_list arguments;

    if (*stage->trouble != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(stage->trouble, stage->trouble_room, format, arguments);
    va_end(arguments);
}

static bool is_in_trouble(const struct scenario_stage *stage)
{
    return *stage->trouble != '\0' || load_has_ended(stage->load);
}

static void pace(struct scenario_stage *stage)
{
    load_wait_sent(stage->load, load_sent(stage->load) + stage->rate / PACE_PER_SECOND + 1);
}

/* --- reloads ------------------------------------------------------------------- */

static bool is_new_version_seen(void *argument)
{
    const struct scenario_stage *stage = argument;

    return load_newest_seen(stage->load) >= stage->subject->version;
}

static void expect_version(struct scenario_stage *stage, enum subject_reload outcome)
{
    uint32_t version = stage->subject->version;

    switch (outcome) {
    case SUBJECT_RELOADED:
        stage->certain = version;
        load_expect(stage->load, version, version);
        break;
    case SUBJECT_TOLD:
        /* That some workers are at this version says of the others that they have left the one
         * before the last. */
        stage->certain = version - 1;
        if (!child_wait(is_new_version_seen, stage, PATIENCE_SECONDS))
            say_trouble(stage, "version %u of the zone was never served", version);
        break;
    case SUBJECT_REFUSED:
        say_trouble(stage, "version %u of the zone was refused", version);
        break;
    }
}

static void reload_once(struct scenario_stage *stage,
                        enum subject_reload (*reload_subject)(struct subject *))
{
    struct subject *subject = stage->subject;

    load_expect(stage->load, stage->certain, subject->version + 1);
    subject_change_zone(subject);
    expect_version(stage, reload_subject(subject));
}

static void reload(struct scenario_stage *stage)
{
    reload_once(stage, stage->subject->kind->reload);
}

static void hang_up(struct scenario_stage *stage)
{
    reload_once(stage, stage->subject->kind->hang_up);
}

struct growth {
    const struct subject *subject;
    uint64_t mappings_more; /* that are no growth */
    struct footprint before;
    struct footprint now;
};

/* A few mappings and some memory come and go with the moment; what a reload leaves behind adds up.
 */
static bool has_not_grown(void *argument)
{
    enum { KIB_MORE = 1024 };
    struct growth *growth = argument;
    const struct footprint *before = &growth->before, *now = &growth->now;

    subject_measure(growth->subject, &growth->now);
    return now->descriptors <= before->descriptors &&
           now->mappings <= before->mappings + growth->mappings_more &&
           now->anonymous_kib <= before->anonymous_kib + KIB_MORE;
}

static void expect_no_growth(struct scenario_stage *stage, struct growth *growth)
{
    const struct footprint *before = &growth->before, *now = &growth->now;

    if (!child_wait(has_not_grown, growth, SETTLING_SECONDS))
        say_trouble(stage,
                    "it grew: %" PRIu64 " to %" PRIu64 " descriptors, %" PRIu64 " to %" PRIu64
                    " mappings, %" PRIu64 " to %" PRIu64 " KiB",
                    before->descriptors, now->descriptors, before->mappings, now->mappings,
                    before->anonymous_kib, now->anonymous_kib);
}

static void reload_times(struct scenario_stage *stage, unsigned times)
{
    for (unsigned i = 0; i < times && !is_in_trouble(stage); i++)
        reload(stage);
}

/* AddressSanitizer's allocator opens a region when something of a new size is wanted, once; a
 * reload that leaves something behind does so in every series of reloads. */
#ifdef __SANITIZE_ADDRESS__
enum { SERIES = 3 };
#else
enum { SERIES = 1 };
#endif

static void reload_often(struct scenario_stage *stage)
{
    enum { FIRST = 2 };
    struct growth growth = {.subject = stage->subject, .mappings_more = 2};
    unsigned reloads = stage->effort->reloads, first = reloads < FIRST ? reloads : FIRST;

    reload_times(stage, first);
    subject_measure(stage->subject, &growth.before);
    reload_times(stage, reloads - first);
    if (!stage->subject->kind->is_ours || reloads == first)
        return;
    for (unsigned series = 1; series < SERIES && !is_in_trouble(stage); series++) {
        if (child_wait(has_not_grown, &growth, SETTLING_SECONDS))
            return;
        if (growth.now.descriptors > growth.before.descriptors)
            break;
        growth.before = growth.now;
        reload_times(stage, reloads - first);
    }
    if (!is_in_trouble(stage))
        expect_no_growth(stage, &growth);
}

static void break_and_mend(struct scenario_stage *stage)
{
    struct subject *subject = stage->subject;

    zonetext_write_broken(subject->zone, subject->names, subject->version + 1);
    if (subject->kind->reload(subject) != SUBJECT_REFUSED)
        say_trouble(stage, "a zone file with an error was not refused");
    pace(stage);
    reload(stage);
}

/* --- deaths --------------------------------------------------------------------- */

struct replacement {
    const struct subject *subject;
    pid_t dead;
    size_t workers;
};

static bool is_replaced(void *argument)
{
    const struct replacement *replacement = argument;
    const struct subject *subject = replacement->subject;
    pid_t workers[CHILD_LIST_MAX];

    if (child_is_alive(replacement->dead))
        return false;
    return subject->kind->list_workers(subject, workers) == replacement->workers;
}

/* What has but one process has to be started again by whoever cares. */
static void start_again(struct subject *subject)
{
    child_stop(subject->pid, SIGKILL, PATIENCE_SECONDS);
    subject->kind->start(subject);
    subject_wait_answering(subject);
}

/* Lets queries pile up before the worker for 50 ms (pace), so that it is at work on them for the
 * next moments. */
static void make_busy(struct scenario_stage *stage, pid_t worker)
{
    static const struct timespec moment = {.tv_nsec = 100000};

    kill(worker, SIGSTOP);
    pace(stage);
    kill(worker, SIGCONT);
    nanosleep(&moment, NULL);
}

static void kill_worker(struct scenario_stage *stage, pid_t worker, size_t workers, int signal)
{
    struct subject *subject = stage->subject;
    struct replacement replacement = {subject, worker, workers};

    stage->kills++;
    kill(worker, signal);
    if (subject->kind->one_process)
        start_again(subject);
    else if (!child_wait(is_replaced, &replacement, PATIENCE_SECONDS))
        say_trouble(stage, "worker process %d was not replaced", (int)worker);
    pace(stage);
}

static void kill_each_once(struct scenario_stage *stage, int signal, bool busy)
{
    pid_t workers[CHILD_LIST_MAX];
    size_t count = stage->subject->kind->list_workers(stage->subject, workers);

    if (count == 0)
        say_trouble(stage, "it has no workers");
    for (size_t i = 0; i < count && !is_in_trouble(stage); i++) {
        if (busy)
            make_busy(stage, workers[i]);
        kill_worker(stage, workers[i], count, signal);
    }
}

static void kill_each(struct scenario_stage *stage, int signal, bool busy)
{
    unsigned rounds = times_for(stage->subject, stage->effort->deaths);

    for (unsigned i = 0; i < rounds && !is_in_trouble(stage); i++)
        kill_each_once(stage, signal, busy);
}

/* Where it most likely is, waiting: so the slowest answer tells how long its queue has to wait for
 * its successor. */
static void sigkill(struct scenario_stage *stage)
{
    kill_each(stage, SIGKILL, false);
}

/* At work: the slowest answer has waited for make_busy(), too. */
static void sigsegv(struct scenario_stage *stage)
{
    kill_each(stage, SIGSEGV, true);
}

/* In the end its supervisor kills it; that is no excuse, for it was not at work on anything. */
static void stall(struct scenario_stage *stage)
{
    struct subject *subject = stage->subject;
    pid_t workers[CHILD_LIST_MAX];
    size_t count = subject->kind->list_workers(subject, workers);
    struct replacement replacement = {subject, count > 0 ? workers[0] : 0, count};

    if (count == 0) {
        say_trouble(stage, "it has no workers");
        return;
    }
    kill(workers[0], SIGSTOP);
    if (!child_wait(is_replaced, &replacement, PATIENCE_SECONDS)) {
        say_trouble(stage, "worker process %d was stopped, and not replaced", (int)workers[0]);
        kill(workers[0], SIGCONT);
    }
}

/* --- replacements ------------------------------------------------------------------ */

static bool has_workers(void *argument)
{
    const struct replacement *replacement = argument;
    const struct subject *subject = replacement->subject;
    pid_t workers[CHILD_LIST_MAX];

    return subject->kind->list_workers(subject, workers) == replacement->workers;
}

static void resize(struct scenario_stage *stage)
{
    static const unsigned sizes[] = {2, 4, 1, 3};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    struct subject *subject = stage->subject;

    for (size_t i = 0; i < SIZES * stage->effort->resizes && !is_in_trouble(stage); i++) {
        struct replacement replacement = {.subject = subject, .workers = sizes[i % SIZES]};
        if (!subject->kind->resize(subject, sizes[i % SIZES]) ||
            !child_wait(has_workers, &replacement, PATIENCE_SECONDS))
            say_trouble(stage, "it did not change to %u workers", sizes[i % SIZES]);
        pace(stage);
    }
}

static void steer_to(struct scenario_stage *stage, const char *policy)
{
    if (!stage->subject->kind->steer(stage->subject, policy))
        say_trouble(stage, "it did not change to the policy %s", policy);
    pace(stage);
}

static void steer(struct scenario_stage *stage)
{
    static const char *const policies[] = {"query", "random", "cpu", "hash"};
    enum { POLICIES = sizeof policies / sizeof policies[0] };

    for (unsigned i = 0; i < stage->effort->switches && !is_in_trouble(stage); i++)
        steer_to(stage, policies[i % POLICIES]);
}

static void share(struct scenario_stage *stage)
{
    for (unsigned i = 0; i < stage->effort->sharings && !is_in_trouble(stage); i++) {
        steer_to(stage, "shared");
        steer_to(stage, i % 2 == 0 ? "query" : "hash");
    }
}

/* Replaces it `times` times, by `replace`. What it takes afterwards has to be what it took after
 * the first time. */
static void replace_often(struct scenario_stage *stage, unsigned times, const char *what,
                          bool (*replace)(struct subject *))
{
    /* The address space of a new process is laid out at random, in a few pieces more or less. */
    struct growth growth = {.subject = stage->subject, .mappings_more = 30};

    for (unsigned i = 0; i < times && !is_in_trouble(stage); i++) {
        if (!replace(stage->subject))
            say_trouble(stage, "%s %u failed", what, i + 1);
        pace(stage);
        if (i == 0)
            subject_measure(stage->subject, &growth.before);
    }
    if (stage->subject->kind->is_ours && times > 1 && !is_in_trouble(stage))
        expect_no_growth(stage, &growth);
}

static void take_over(struct scenario_stage *stage)
{
    replace_often(stage, stage->effort->takeovers, "takeover", stage->subject->kind->take_over);
}

/* By daemons with other numbers of workers: their sockets are kept, added and given up. */
static void take_over_resized(struct scenario_stage *stage)
{
    static const unsigned sizes[] = {4, 1, 3, 2};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };

    for (size_t i = 0; i < SIZES * stage->effort->resizes && !is_in_trouble(stage); i++) {
        stage->subject->workers = sizes[i % SIZES];
        if (!stage->subject->kind->take_over(stage->subject))
            say_trouble(stage, "takeover with %u workers failed", sizes[i % SIZES]);
        pace(stage);
    }
}

static void upgrade(struct scenario_stage *stage)
{
    replace_often(stage, stage->effort->takeovers, "sorrelctl takeover",
                  stage->subject->kind->upgrade);
}

static void restart(struct scenario_stage *stage)
{
    replace_often(stage, times_for(stage->subject, stage->effort->restarts), "restart",
                  stage->subject->kind->restart);
}

static void kill_supervisor(struct scenario_stage *stage)
{
    replace_often(stage, stage->effort->restarts, "the start after SIGKILL",
                  stage->subject->kind->kill_supervisor);
}

static void nothing(struct scenario_stage *stage)
{
    (void)stage;
}

const struct scenario scenario_all[] = {
    {"steady", "nothing happens", SUBJECT_STARTS, false, nothing},
    {"reload", "a changed zone is loaded", SUBJECT_RELOADS, false, reload},
    {"reloads", "a changed zone is loaded, again and again", SUBJECT_RELOADS, false, reload_often},
    {"sighup", "a changed zone is loaded, on SIGHUP", SUBJECT_HEEDS_SIGHUP, false, hang_up},
    {"mend", "a zone is broken, then mended", SUBJECT_SAYS_WHEN_RELOADED, false, break_and_mend},
    {"kill", "SIGKILL to each worker, waiting", SUBJECT_RESPAWNS, false, sigkill},
    {"crash", "SIGSEGV to each worker, at work", SUBJECT_RESPAWNS, false, sigsegv},
    {"stall", "SIGSTOP to a worker", SUBJECT_REPLACES_STALLED, false, stall},
    {"resize", "2, 4, 1 and 3 workers", SUBJECT_RESIZES, false, resize},
    {"steering", "the policy is changed, again and again", SUBJECT_STEERS, false, steer},
    {"sharing", "one socket for all workers, and back", SUBJECT_STEERS, false, share},
    {"takeover", "another process takes over, again and again", SUBJECT_TAKES_OVER, false,
     take_over},
    {"handover", "daemons with 4, 1, 3 and 2 workers take over", SUBJECT_TAKES_OVER, false,
     take_over_resized},
    {"upgrade", "it starts its own successor, again and again", SUBJECT_TAKES_OVER, false, upgrade},
    {"restart", "stopped and started", SUBJECT_RESTARTS, true, restart},
    {"supervisor", "SIGKILL to the supervisor", SUBJECT_OUTLIVES_SUPERVISOR, true, kill_supervisor},
    {NULL, NULL, SUBJECT_STARTS, false, NULL},
};

/* --- one run ------------------------------------------------------------------------ */

/* Queries that came while other programs had the CPUs, and found the queue full: no server can help
 * that. */
static bool is_starved(const struct scenario_result *result)
{
    const struct load_tally *tally = &result->tally;

    return result->others > OTHERS_MAX && tally->lost <= result->drops + result->kills;
}

static enum scenario_verdict judge(const struct subject_kind *kind,
                                   const struct scenario_result *result)
{
    const struct load_tally *tally = &result->tally;
    bool is_right =
        tally->duplicates <= result->kills && tally->wrong == 0 && *result->trouble == '\0';

    if (tally->is_void)
        return SCENARIO_VOID;
    if (!kind->is_ours || (is_right && tally->lost <= result->kills))
        return SCENARIO_KEPT;
    return is_right && is_starved(result) ? SCENARIO_VOID : SCENARIO_BROKEN;
}

/* Where the server lives on with its counters, they have to be exact. */
static uint64_t count_queries(const struct scenario *scenario, struct subject *subject)
{
    return scenario->needs == SUBJECT_STEERS ? subject->kind->count(subject) : 0;
}

static void run_once(const struct scenario *scenario, struct subject *subject,
                     const struct scenario_effort *effort, unsigned divisor,
                     struct scenario_result *result)
{
    const struct load_settings settings = {.port = subject->port,
                                           .flows = effort->flows,
                                           .rate = effort->rate / divisor,
                                           .queries = effort->queries,
                                           .names = subject->names,
                                           .version = subject->version,
                                           .shortfall = effort->shortfall};
    struct machine_usage usage;
    *result = (struct scenario_result){.asked_rate = settings.rate};
    machine_measure(&usage);
    uint64_t counted = count_queries(scenario, subject);
    struct load *load = load_start(&settings);
    struct scenario_stage stage = {.subject = subject,
                                   .load = load,
                                   .effort = effort,
                                   .rate = settings.rate,
                                   .certain = subject->version,
                                   .trouble = result->trouble,
                                   .trouble_room = sizeof result->trouble};

    load_wait_sent(load, settings.queries / LEAD);
    scenario->happen(&stage);
    load_event_over(load);
    load_finish(load, &result->tally);
    counted = count_queries(scenario, subject) - counted;
    if (scenario->needs == SUBJECT_STEERS && result->tally.lost == 0 &&
        counted != result->tally.sent)
        say_trouble(&stage, "it has counted %" PRIu64 " queries of %" PRIu64, counted,
                    result->tally.sent);
    result->kills = stage.kills;
    result->others = machine_others(&usage);
    result->drops = subject_drops(subject);
}

void scenario_run(const struct scenario *scenario, const struct subject_kind *kind,
                  const char *steering, const struct scenario_effort *effort, unsigned divisor,
                  struct scenario_result *result)
{
    struct subject subject = {.kind = kind,
                              .steering = steering,
                              .workers = effort->workers,
                              .names = effort->names,
                              .is_managed = scenario->is_managed && kind->is_ours};

    subject_start(&subject);
    run_once(scenario, &subject, effort, divisor, result);
    subject_stop(&subject);
    result->verdict = judge(kind, result);
}
