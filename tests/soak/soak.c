/*
 * Does the daemon stand everything at once, for long? See README.
 *
 *     soak [OPTION]...
 *
 *   -t SECONDS   how long (600)          -r RATE   valid queries a second (5000)
 *   -s SEED      of what chance decides  -e EVENT  only this one; may be repeated (all)
 *   -v           tell of each event
 *
 * sorreld and sorrelctl are those that $SORRELD and $SORRELCTL name, or of the directory it runs
 * in. Exits 0 if all is well, 1 if not.
 */
#include "../loss/child.h"
#include "event.h"
#include "hostile.h"
#include "watch.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WORKERS = 4,
    FLOWS = 64,
    NAMES = 1000,
    EVENTS_MAX = 32,
    RESTS_MAX = 1024,

    /* Between two rests: so far apart are the samples that are compared. */
    REST_SECONDS = 15,
    SETTLING_SECONDS = 90, /* the metrics process, killed again and again, waits a minute */
    STOP_SECONDS = 10,

    /* The first rests are not compared: buffers grow, caches fill. */
    WARM_UP = 2,
    /* What the memory of the last third of the rests may exceed that of the first by. */
    GROWTH_KIB_MAX = 1024,
    /* More would not be read, and fills disks. */
    LINES_A_SECOND_MAX = 100,

    LATE_MS_MAX = 5000, /* the slowest answer: the worker was stopped, its successor killed ... */
};

struct soak {
    unsigned seconds;
    unsigned rate;
    uint64_t seed;
    bool is_verbose;
    struct place place;
    struct subject subject;
    struct hostile hostile;
    struct event_stage stage;
    struct watch_log log;
    struct watch_sample rests[RESTS_MAX];
    unsigned rest_count;
    unsigned chosen[EVENTS_MAX]; /* numbers of events */
    unsigned chosen_count;
    unsigned happened[EVENTS_MAX]; /* by number */
    struct load_tally tally;
    bool stopped_well;
    unsigned left_over; /* processes */
    double took;
};

static struct soak soak;

static double clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void kill_daemon(void)
{
    if (soak.subject.pid > 0)
        kill(soak.subject.pid, SIGKILL);
}

/* A daemon that another has started does not end with us. */
static void interrupted(int number)
{
    kill_daemon();
    signal(number, SIG_DFL);
    raise(number);
}

/* --- rests --------------------------------------------------------------------------------- */

/* Is everything as it was at the first rest, but for memory? */
static bool has_settled(void *context)
{
    struct watch_sample *sample = context;
    const struct watch_sample *first = &soak.rests[0];
    enum { MAIN_AND_METRICS = 2 };

    watch_take(soak.subject.pid, &soak.place, sample);
    return sample->workers == WORKERS && sample->processes == WORKERS + MAIN_AND_METRICS &&
           sample->zombies == 0 && sample->state_files == 1 &&
           (soak.rest_count == 0 || sample->descriptors <= first->descriptors);
}

/* All is brought back to what it was at first, and looked at; the valid queries go on. */
static void rest(void)
{
    struct watch_sample *sample = &soak.rests[soak.rest_count];

    if (!hostile_pause(&soak.hostile))
        child_fail("the hostile clients do not pause");
    event_restore(&soak.stage, WORKERS);
    if (!child_wait(has_settled, sample, SETTLING_SECONDS))
        event_complain(&soak.stage,
                       "at rest it has %u processes, %u workers, %u zombies, %" PRIu64
                       " descriptors (at first %" PRIu64 ") and %u files kept",
                       sample->processes, sample->workers, sample->zombies, sample->descriptors,
                       soak.rests[0].descriptors, sample->state_files);
    if (soak.rest_count + 1 < RESTS_MAX)
        soak.rest_count++;
    hostile_resume(&soak.hostile);
}

/* --- events ---------------------------------------------------------------------------------- */

static bool is_in_trouble(void)
{
    return *soak.stage.trouble != '\0' || load_has_ended(soak.stage.load);
}

static void happen(unsigned number)
{
    const struct event *event = &event_all[number];
    double began = clock_now();

    event->happen(&soak.stage);
    soak.happened[number]++;
    watch_read_log(&soak.log);
    if (soak.is_verbose)
        printf("%8.3f s  %-12s  %7.1f ms\n", load_clock(soak.stage.load) / 1e6, event->name,
               (clock_now() - began) * 1000);
}

/* Now and then without any pause, so that events meet. */
static void pause_at_random(void)
{
    if (fuzz_below(&soak.stage.random, 3) > 0)
        load_wait_sent(soak.stage.load,
                       load_sent(soak.stage.load) + fuzz_below(&soak.stage.random, soak.rate / 4));
}

static void shuffle(void)
{
    for (unsigned i = soak.chosen_count - 1; i > 0; i--) {
        unsigned other = fuzz_below(&soak.stage.random, i + 1), kept = soak.chosen[i];
        soak.chosen[i] = soak.chosen[other];
        soak.chosen[other] = kept;
    }
}

static void let_happen(void)
{
    double end = clock_now() + soak.seconds, next_rest = clock_now() + REST_SECONDS;

    while (clock_now() < end && !is_in_trouble()) {
        shuffle();
        for (unsigned i = 0; i < soak.chosen_count && clock_now() < end && !is_in_trouble(); i++) {
            pause_at_random();
            happen(soak.chosen[i]);
        }
        if (clock_now() > next_rest && clock_now() + REST_SECONDS < end && !is_in_trouble()) {
            rest();
            next_rest = clock_now() + REST_SECONDS;
        }
    }
    rest();
}

/* --- start and end -----------------------------------------------------------------------------
 */

/* Seeds next to each other, and small ones, are to give numbers that have nothing in common. */
static uint64_t spread_seed(unsigned purpose)
{
    return (soak.seed + ((uint64_t)purpose << 32)) * UINT64_C(0x9E3779B97F4A7C15);
}

static void begin(void)
{
    child_at_fail(kill_daemon);
    signal(SIGINT, interrupted);
    signal(SIGTERM, interrupted);
    signal(SIGHUP, interrupted);
    place_make(&soak.place);
    soak.subject = (struct subject){.kind = &subject_sorreld,
                                    .steering = "hash",
                                    .workers = WORKERS,
                                    .names = NAMES,
                                    .options = soak.place.options};
    subject_start(&soak.subject);
    hostile_start(&soak.hostile, soak.subject.port, NAMES, spread_seed(1));
    watch_open_log(&soak.log, soak.subject.log);
    const struct load_settings settings = {.port = soak.subject.port,
                                           .flows = FLOWS,
                                           .rate = soak.rate,
                                           .queries = 1,
                                           .names = NAMES,
                                           .version = soak.subject.version,
                                           .shortfall = 50};
    soak.stage = (struct event_stage){.subject = &soak.subject,
                                      .load = load_start(&settings),
                                      .place = &soak.place,
                                      .random = {spread_seed(0)},
                                      .certain = soak.subject.version};
}

static bool has_children(void *context)
{
    pid_t list[CHILD_LIST_MAX];

    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    *(unsigned *)context = (unsigned)child_list(getpid(), list);
    return *(unsigned *)context == 0;
}

static void end(void)
{
    load_event_over(soak.stage.load);
    load_finish(soak.stage.load, &soak.tally);
    hostile_stop(&soak.hostile);
    soak.stopped_well = child_stop(soak.subject.pid, SIGTERM, STOP_SECONDS);
    child_wait(has_children, &soak.left_over, 1);
    watch_close_log(&soak.log);
}

/* --- figures --------------------------------------------------------------------------------- */

static unsigned findings;

/* A line of the table; what is not `sound` makes the run a failure. */
static void __attribute__((format(printf, 3, 4)))
line(bool sound, const char *what, const char *format, ...)
{
    va_list arguments;

    printf("  %-26s", what);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("%s\n", sound ? "" : "    <- BROKEN");
    findings += !sound;
}

static void show_events(void)
{
    for (unsigned i = 0; event_all[i].name != NULL; i++)
        if (soak.happened[i] > 0)
            printf("  %-12s %6u   %s\n", event_all[i].name, soak.happened[i],
                   event_all[i].description);
}

static void show_answers(void)
{
    const struct load_tally *tally = &soak.tally;
    const struct hostile_board *board = soak.hostile.board;
    uint64_t kills = soak.stage.kills;

    line(!tally->is_void, "valid queries", "%" PRIu64 " at %u/s%s", tally->sent, tally->rate,
         tally->is_void ? "; the generator fell short of its rate or dropped answers" : "");
    line(tally->lost <= kills, "lost",
         "%" PRIu64 " (%" PRIu64 " allowed: one for each worker killed)", tally->lost, kills);
    for (unsigned i = 0; i < tally->lost && i < LOAD_LOST_TOLD; i++)
        printf("    sent at %.3f s\n", tally->lost_us[i] / 1e6);
    line(tally->duplicates <= kills, "answered twice", "%" PRIu64, tally->duplicates);
    line(tally->wrong == 0, "answered wrongly", "%" PRIu64, tally->wrong);
    line(tally->slowest_us < LATE_MS_MAX * 1000u, "answered after",
         "%.1f ms (99 %%), %.1f ms (all)", tally->p99_us / 1000.0, tally->slowest_us / 1000.0);
    line(board->disappointed == 0 && board->honest > 0, "over TCP",
         "%" PRIu64 " asked, %" PRIu64 " of them again, %" PRIu64 " without answer", board->honest,
         board->again, board->disappointed);
    line(board->strange == 0, "malformed datagrams",
         "%" PRIu64 ", %" PRIu64 " replies, %" PRIu64 " of them strange", board->datagrams,
         board->replies, board->strange);
    line(true, "abusive connections", "%" PRIu64 ", %" PRIu64 " refused", board->connections,
         board->refused);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* The median of the memory of rests [from, to). */
static uint64_t median_memory(unsigned from, unsigned to)
{
    uint64_t kib[RESTS_MAX];
    unsigned count = 0;

    for (unsigned i = from; i < to; i++)
        kib[count++] = soak.rests[i].memory_kib;
    qsort(kib, count, sizeof *kib, compare);
    return kib[count / 2];
}

static void show_footprint(void)
{
    const struct watch_sample *first = &soak.rests[0], *last = &soak.rests[soak.rest_count - 1];
    unsigned compared = soak.rest_count > WARM_UP ? soak.rest_count - WARM_UP : 0;

    line(true, "at rest", "%u times", soak.rest_count);
    line(last->descriptors <= first->descriptors, "descriptors",
         "%" PRIu64 " at first, %" PRIu64 " at last", first->descriptors, last->descriptors);
    line(true, "mappings", "%" PRIu64 " at first, %" PRIu64 " at last", first->mappings,
         last->mappings);
    line(last->zombies == 0, "zombies", "%u", last->zombies);
    if (compared < 3) {
        line(true, "memory", "%" PRIu64 " KiB at first, %" PRIu64 " KiB at last", first->memory_kib,
             last->memory_kib);
        return;
    }
    uint64_t early = median_memory(WARM_UP, WARM_UP + compared / 3);
    uint64_t late = median_memory(soak.rest_count - compared / 3, soak.rest_count);
    line(late <= early + GROWTH_KIB_MAX, "memory",
         "%" PRIu64 " KiB in the first third, %" PRIu64 " KiB in the last", early, late);
}

static void show_rest(void)
{
    const struct watch_log *log = &soak.log;

    line(log->busiest_second <= LINES_A_SECOND_MAX, "lines in the log",
         "%" PRIu64 ", %.1f a second, at most %" PRIu64 " in one", log->lines,
         (double)log->lines / soak.took, log->busiest_second);
    line(log->alarms == 0, "lines that alarm", "%" PRIu64 "%s%s", log->alarms,
         log->alarms > 0 ? ", first " : "", log->alarm);
    line(soak.stopped_well && soak.left_over == 0, "at the end", "%s, %u processes left",
         soak.stopped_well ? "stopped" : "had to be killed", soak.left_over);
    line(*soak.stage.trouble == '\0', "events", "%s",
         *soak.stage.trouble == '\0' ? "all did what they should" : soak.stage.trouble);
}

static void show_log(void)
{
    FILE *file = fopen(soak.subject.log, "re");
    char text[1024];

    while (file != NULL && fgets(text, sizeof text, file) != NULL)
        printf("    log: %s", text);
    if (file != NULL)
        fclose(file);
}

/* --- the program --------------------------------------------------------------------------------
 */

static void choose(const char *name)
{
    unsigned i = 0;

    while (event_all[i].name != NULL && strcmp(event_all[i].name, name) != 0)
        i++;
    if (event_all[i].name == NULL || soak.chosen_count == EVENTS_MAX)
        child_fail("there is no event %s", name);
    soak.chosen[soak.chosen_count++] = i;
}

static uint64_t read_number(const char *text, uint64_t least, uint64_t most)
{
    char *end;
    unsigned long long number = strtoull(text, &end, 10);

    if (*end != '\0' || end == text || number < least || number > most)
        child_fail("%s is not a number from %" PRIu64 " to %" PRIu64, text, least, most);
    return number;
}

static void read_options(int argc, char **argv)
{
    bool are_all_chosen = true;
    int option;

    while ((option = getopt(argc, argv, "t:r:s:e:v")) != -1)
        switch (option) {
        case 't':
            soak.seconds = (unsigned)read_number(optarg, 1, 86400);
            break;
        case 'r':
            soak.rate = (unsigned)read_number(optarg, 100, 50000);
            break;
        case 's':
            soak.seed = read_number(optarg, 1, UINT32_MAX);
            break;
        case 'e':
            choose(optarg);
            are_all_chosen = false;
            break;
        case 'v':
            soak.is_verbose = true;
            break;
        default:
            exit(CHILD_EXIT_BROKEN);
        }
    if (optind < argc)
        child_fail("%s is no option", argv[optind]);
    for (unsigned i = 0; are_all_chosen && event_all[i].name != NULL; i++)
        choose(event_all[i].name);
}

int main(int argc, char **argv)
{
    soak = (struct soak){.seconds = 600, .rate = 5000, .seed = (uint64_t)time(NULL)};
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1UL) != 0)
        child_fail("cannot adopt orphans");
    read_options(argc, argv);
    printf("%u s, %u valid queries/s, seed %" PRIu64 "\n\n", soak.seconds, soak.rate, soak.seed);
    double start = clock_now();
    begin();
    rest();
    let_happen();
    end();
    soak.took = clock_now() - start;
    show_events();
    putchar('\n');
    show_answers();
    show_footprint();
    show_rest();
    printf("\n%s\n", findings == 0 ? "kept" : "BROKEN");
    if (findings > 0)
        show_log();
    subject_remove(&soak.subject);
    place_remove(&soak.place);
    return findings == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
