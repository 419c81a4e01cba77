/*
 * The load driver as a program: asks a server on 127.0.0.1 and says what came back.
 *
 *   load [OPTION]... PORT        see usage() below, and tests/bench/README
 */
#include "drive.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct options {
    struct questions_settings questions;
    struct drive_settings drive;
    unsigned long print;
    long cpu;
};

_Noreturn static void usage(void)
{
    fputs("usage: load [OPTION]... PORT\n"
          "  -n NAME   its '#'s are a number: n#######.names.bench     -N COUNT  of numbers\n"
          "  -t TYPE   A, NS, ..., TYPEnnn                             -d        with DO\n"
          "  -f FILE   of lines NAME TYPE instead of -n -N -t\n"
          "  -s SECONDS  measured (1)      -u SECONDS  warm-up before (0.1)\n"
          "  -r RATE   paced, and measure the latency; without: as fast as the window allows\n"
          "  -F FLOWS  source ports (4)    -W WINDOW   queries under way (256)\n"
          "  -S SEED   of the order        -c CPU      to run on\n"
          "  -p COUNT  print COUNT questions as lines NAME TYPE, and ask nothing\n",
          stderr);
    exit(2);
}

static void set(struct options *o, int option, const char *value)
{
    switch (option) {
    case 'n':
        o->questions.pattern = value;
        break;
    case 'N':
        o->questions.count = (uint32_t)strtoul(value, NULL, 10);
        break;
    case 't':
        o->questions.type = value;
        break;
    case 'd':
        o->questions.dnssec = true;
        break;
    case 'f':
        o->questions.file = value;
        break;
    case 's':
        o->drive.seconds = strtod(value, NULL);
        break;
    case 'u':
        o->drive.warm_up = strtod(value, NULL);
        break;
    case 'r':
        o->drive.rate = (unsigned)strtoul(value, NULL, 10);
        break;
    case 'F':
        o->drive.flows = (unsigned)strtoul(value, NULL, 10);
        break;
    case 'W':
        o->drive.window = (unsigned)strtoul(value, NULL, 10);
        break;
    case 'S':
        o->drive.seed = strtoull(value, NULL, 10);
        break;
    case 'c':
        o->cpu = strtol(value, NULL, 10);
        break;
    case 'p':
        o->print = strtoul(value, NULL, 10);
        break;
    default:
        usage();
    }
}

static void read_options(struct options *o, int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "n:N:t:df:s:u:r:F:W:S:c:p:")) != -1)
        set(o, option, optarg);
    if (o->print == 0 && optind + 1 == argc)
        o->drive.port = (uint16_t)strtoul(argv[optind], NULL, 10);
    if ((o->print == 0 && o->drive.port == 0) || o->drive.flows == 0 ||
        o->drive.flows > DRIVE_FLOWS_MAX || o->drive.seconds <= 0)
        usage();
}

/* As many questions as asked for, evenly spread over all there are. */
static void print_questions(const struct questions *questions, unsigned long count)
{
    uint64_t all = questions_count(questions);

    for (unsigned long i = 0; i < count; i++)
        questions_print(questions, (uint32_t)(i * UINT64_C(2654435761) % all), stdout);
}

static void print_result(const struct drive_result *r, bool paced)
{
    static const char *const rcodes[16] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                           "NXDOMAIN", "NOTIMP",  "REFUSED"};

    printf("rate %.0f/s for %.3f s; sent %" PRIu64 " answered %" PRIu64 " lost %" PRIu64
           " strange %" PRIu64 " refused %" PRIu64 "\n",
           r->rate, r->seconds, r->counts.sent, r->counts.answered, r->counts.lost,
           r->counts.strange, r->counts.refused);
    for (unsigned i = 0; i < 16; i++)
        if (r->counts.rcode[i] > 0)
            printf("%s %" PRIu64 "; ", rcodes[i] != NULL ? rcodes[i] : "other RCODE",
                   r->counts.rcode[i]);
    printf("truncated %" PRIu64 "; %.1f octets an answer\n", r->counts.truncated,
           (double)r->counts.octets / (double)(r->counts.answered + (r->counts.answered == 0)));
    if (paced)
        printf("latency median %.1f us, 99th percentile %.1f us, slowest %.1f us; skipped %" PRIu64
               "\n",
               r->median_ns / 1e3, r->p99_ns / 1e3, r->slowest_ns / 1e3, r->skipped);
}

static void pin(long cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        perror("load: cannot run on that CPU");
}

int main(int argc, char **argv)
{
    struct options o = {
        .questions = {.pattern = "n#######.names.bench", .count = 1000, .type = "A"},
        .drive = {.flows = 4, .window = 256, .seconds = 1, .warm_up = 0.1, .seed = 1},
        .cpu = -1,
    };
    struct drive_result result;

    read_options(&o, argc, argv);
    struct questions *questions = questions_open(&o.questions);
    if (questions == NULL)
        return 1;
    if (o.print > 0) {
        print_questions(questions, o.print);
        questions_free(questions);
        return 0;
    }
    if (o.cpu >= 0)
        pin(o.cpu);
    o.drive.questions = questions;
    bool done = drive(&o.drive, &result);
    if (done)
        print_result(&result, o.drive.rate > 0);
    questions_free(questions);
    return done && result.counts.answered > 0 ? 0 : 1;
}
