/*
 * The generator itself: it loses nothing where nothing is lost, and counts exactly where something
 * is.
 *
 * Exits 77 (skipped) if the machine does not let it hold even its lowest rate.
 */
#include "child.h"
#include "load.h"
#include "responder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAMES = 1000, FLOWS = 64, SKIPPED = 77, FAULT_EVERY = 50 };

static unsigned failures;

static void expect(const char *what, uint64_t found, uint64_t expected)
{
    if (found == expected)
        return;
    printf("  %s: %" PRIu64 ", expected %" PRIu64 "\n", what, found, expected);
    failures++;
}

static void run_load(uint16_t port, unsigned rate, uint64_t queries, struct load_tally *tally)
{
    struct load_settings settings = {.port = port,
                                     .flows = FLOWS,
                                     .rate = rate,
                                     .queries = queries,
                                     .names = NAMES,
                                     .version = RESPONDER_VERSION};
    struct load *load = load_start(&settings);

    load_event_over(load);
    load_finish(load, tally);
    printf("%u/s of %u/s, %" PRIu64 " queries: %" PRIu64 " answered, %" PRIu64 " lost, p99 %" PRIu32
           " us, slowest %" PRIu32 " us, own drops %" PRIu64 "\n",
           tally->rate, rate, tally->sent, tally->answered, tally->lost, tally->p99_us,
           tally->slowest_us, tally->own_drops);
}

/* At the given rate, or a lower one if the machine is too busy for it. False if for that too. */
static bool run(unsigned every, unsigned rate, uint64_t queries, struct load_tally *tally,
                struct responder_counts *counts)
{
    for (int attempt = 0; attempt < 4; attempt++, rate /= 2) {
        struct responder responder;
        responder_start(&responder, NAMES, every);
        run_load(responder.port, rate, queries, tally);
        responder_stop(&responder);
        *counts = *responder.counts;
        if (!tally->is_void)
            return true;
        queries /= 2;
    }
    return false;
}

static void check_nothing_is_lost(const struct load_tally *tally)
{
    expect("answered", tally->answered, tally->sent);
    expect("lost", tally->lost, 0);
    expect("duplicates", tally->duplicates, 0);
    expect("wrong", tally->wrong, 0);
}

static void check_counts(const struct load_tally *tally, const struct responder_counts *counts)
{
    const uint64_t *faults = counts->faults;
    uint64_t wrong =
        faults[RESPONDER_DAMAGED] + faults[RESPONDER_MIXED] + faults[RESPONDER_OUTDATED];

    for (int fault = 0; fault < RESPONDER_FAULTS; fault++)
        if (faults[fault] == 0)
            expect("a fault that never happened", 0, 1);
    expect("queries", tally->sent, counts->queries);
    expect("lost", tally->lost, faults[RESPONDER_DROPPED]);
    expect("duplicates", tally->duplicates, faults[RESPONDER_DOUBLED]);
    expect("wrong", tally->wrong, wrong);
    expect("mixed", tally->mixed, faults[RESPONDER_MIXED]);
    expect("stale", tally->stale, faults[RESPONDER_OUTDATED]);
    expect("answered", tally->answered, tally->sent - tally->lost - wrong);
}

int main(int argc, char **argv)
{
    unsigned rate = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
    uint64_t queries = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000;
    struct load_tally tally;
    struct responder_counts counts;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!run(0, rate, queries, &tally, &counts))
        return SKIPPED;
    check_nothing_is_lost(&tally);
    if (!run(FAULT_EVERY, rate, queries, &tally, &counts))
        return SKIPPED;
    check_counts(&tally, &counts);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
