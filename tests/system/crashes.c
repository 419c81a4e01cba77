/*
 * Workers are killed one after the other while numbered queries come at a fixed rate: SIGKILL costs
 * no query; a crash costs at most the one that the worker was looking at, and that one is logged.
 * All are counted.
 *
 * Exits 77 (skipped) if the machine does not let the generator hold its rate.
 */
#include "../loss/load.h"
#include "../loss/question.h"
#include "daemon.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

enum {
    WORKERS = 2,
    NAMES = 1000,
    FLOWS = 16,
    RATE = 20000,
    DEATHS = 20, /* of each kind */
    EVERY = 500, /* queries between two deaths */
    SKIPPED = 77,
};

static struct daemon daemon_under_test;
static unsigned failures;

static void write_zone(FILE *file)
{
    fputs("$TTL 1\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n", file);
    for (uint32_t i = 0; i < NAMES; i++)
        fprintf(file, "n%07" PRIu32 " A 10.%u.%u.%u\nn%07" PRIu32 " MX %u n%07" PRIu32 "\n", i,
                (unsigned)(i >> 16 & 255), (unsigned)(i >> 8 & 255), (unsigned)(i & 255), i,
                (unsigned)(i & 65535), question_target(i, NAMES));
}

/* A death may be logged up to a second late. */
static bool are_logged(void *lost)
{
    return daemon_count_given_up(&daemon_under_test) >= *(uint64_t *)lost;
}

/* So are those of batches that were sent just when their worker died. */
static bool are_counted(void *sent)
{
    return daemon_sum(&daemon_under_test, "udp_queries") >= *(uint64_t *)sent;
}

static bool has_gone(void *context)
{
    return !child_is_alive(*(pid_t *)context);
}

/* Kills each worker in turn, once so many more queries have been sent. */
static void kill_workers(struct load *load, int signal)
{
    for (unsigned i = 0; i < DEATHS; i++) {
        pid_t pids[DAEMON_WORKERS_MAX];
        daemon_workers(&daemon_under_test, pids);
        pid_t victim = pids[i % WORKERS];
        load_wait_sent(load, load_sent(load) + EVERY);
        kill(victim, signal);
        if (!child_wait(has_gone, &victim, 5))
            child_fail("worker %d survives signal %d", (int)victim, signal);
    }
}

static void expect(const char *what, uint64_t found, uint64_t most)
{
    if (found <= most)
        return;
    printf("  %s: %" PRIu64 ", expected at most %" PRIu64 "\n", what, found, most);
    failures++;
}

/* One run; false if the generator could not hold its rate. */
static bool run(int signal, const char *steering, unsigned rate, uint64_t lost_at_most)
{
    struct load_tally tally;

    daemon_start(&daemon_under_test, "./sorreld", WORKERS, steering, QUESTION_ORIGIN, write_zone);
    const struct load_settings settings = {.port = daemon_under_test.port,
                                           .flows = FLOWS,
                                           .rate = rate,
                                           .queries = 2 * DEATHS * EVERY,
                                           .names = NAMES,
                                           .version = 1};
    struct load *load = load_start(&settings);
    load_wait_sent(load, EVERY);
    kill_workers(load, signal);
    load_event_over(load);
    load_finish(load, &tally);
    printf("signal %d, %s: %" PRIu64 " sent, %" PRIu64 " lost, gap %" PRIu32 " us%s\n", signal,
           steering, tally.sent, tally.lost, tally.gap_us, tally.is_void ? ", void" : "");
    if (!tally.is_void) {
        expect("lost", tally.lost, lost_at_most);
        if (!child_wait(are_logged, &tally.lost, 5))
            expect("lost and not logged", tally.lost, daemon_count_given_up(&daemon_under_test));
        if (!child_wait(are_counted, &tally.sent, 5))
            expect("sent and not counted", tally.sent,
                   daemon_sum(&daemon_under_test, "udp_queries"));
        expect("duplicates", tally.duplicates, 0);
        expect("wrong", tally.wrong, 0);
        expect("refused", tally.refused, 0);
    }
    failures += !daemon_stop(&daemon_under_test, failures > 0);
    return !tally.is_void;
}

static bool run_at_some_rate(int signal, const char *steering, uint64_t lost_at_most)
{
    for (unsigned rate = RATE; rate >= RATE / 8; rate /= 2)
        if (run(signal, steering, rate, lost_at_most))
            return true;
    return false;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    bool held = run_at_some_rate(SIGKILL, "query", 0) &&
                run_at_some_rate(SIGSEGV, "query", DEATHS) && run_at_some_rate(SIGKILL, "hash", 0);
    if (failures > 0)
        return EXIT_FAILURE;
    return held ? EXIT_SUCCESS : SKIPPED;
}
