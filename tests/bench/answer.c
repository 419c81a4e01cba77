/*
 * What answer() costs by itself: batches of queries as a worker takes them off a socket, without
 * the socket.
 *
 *     answer [-e | -d] [-w WIDTH] [-4] TABLE QUERYFILE [ROUNDS]
 *
 * TABLE is what sorrel-checkzone -o writes, QUERYFILE has a line "NAME TYPE" for each query, as
 * dnsperf's have. Every round asks all of them, and the time of a query is told: of the fastest
 * round, of the median, of the slowest. To count instead, on any machine:
 *
 *     valgrind --tool=callgrind --toggle-collect='answer_batch*' answer TABLE QUERYFILE 1
 */
#include "answer/answer.h"
#include "message/codes.h"
#include "message/wire.h"
#include "table/large_pages.h"
#include "table/seal.h"

#include <fcntl.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    WIDTH_MAX = 1024,
    ROUNDS_DEFAULT = 9,
    ROUNDS_MAX = 1000,
    QUERY_MAX = WIRE_HEADER_SIZE + NAME_OCTETS_MAX + 4 + 1 + WIRE_RR_FIXED_SIZE,
    REPLY_MAX = 4096,
    PAYLOAD = 1232,
    STRIDE = 4096 + 64, /* of buffers, as in server/query/batch.h */
};

struct queries {
    uint8_t *octets; /* each query behind its length, in host order */
    size_t used;
    size_t room;
    size_t count;
};

struct bench {
    struct sealed_table sealed;
    struct answer_settings settings;
    struct answer_recent recent;
    struct queries queries;
    unsigned width;
    bool small_pages;
    bool edns;
    bool dnssec_ok;
    double *times; /* of the batches of a round */
    uint64_t reply_octets;
    uint64_t rcodes[RCODE_BADVERS + 1];
};

static struct answer_task tasks[WIDTH_MAX];
static _Alignas(64) uint8_t query[WIDTH_MAX][STRIDE];
static _Alignas(64) uint8_t reply[WIDTH_MAX][STRIDE];
static uint16_t query_length[WIDTH_MAX];

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "answer: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* --- the table, in memory of the kind that workers have -----------------------------------------
 */

static void fill(const struct bench *bench, int fd, int file, size_t length, const char *path)
{
    uint8_t *to = large_pages_map(fd, length, PROT_READ | PROT_WRITE);
    size_t at = 0;

    if (to == MAP_FAILED)
        give_up(path, "no memory for it");
    if (!bench->small_pages)
        large_pages_provide(to, 0, length - length % LARGE_PAGE);
    while (at < length) {
        ssize_t n = read(file, to + at, length - at);
        if (n <= 0)
            give_up(path, "cannot be read");
        at += (size_t)n;
    }
    munmap(to, length);
}

static void open_table(struct bench *bench, const char *path)
{
    struct stat status;
    int file = open(path, O_RDONLY);

    if (file < 0 || fstat(file, &status) != 0)
        give_up(path, "cannot be opened");
    int fd = seal_create((size_t)status.st_size);
    if (fd < 0)
        give_up(path, "no memory for it");
    fill(bench, fd, file, (size_t)status.st_size, path);
    close(file);
    const char *reason = seal_close(fd) == 0 ? seal_map(&bench->sealed, fd) : "cannot be sealed";
    if (reason != NULL)
        give_up(path, reason);
    close(fd);
    bench->settings = (struct answer_settings){.table = &bench->sealed.table,
                                               .udp_payload_max = ANSWER_UDP_PAYLOAD_DEFAULT,
                                               .recent = &bench->recent};
}

/* --- the queries --------------------------------------------------------------------------------
 */

static size_t make_query(const struct bench *bench, const char *name, uint16_t type, uint8_t *wire)
{
    size_t at = WIRE_HEADER_SIZE;
    ldns_rdf *qname = ldns_dname_new_frm_str(name);

    if (qname == NULL)
        give_up(name, "is no domain name");
    memset(wire, 0, QUERY_MAX);
    wire[5] = 1;
    memcpy(wire + at, ldns_rdf_data(qname), ldns_rdf_size(qname));
    at += ldns_rdf_size(qname);
    ldns_rdf_deep_free(qname);
    wire_write_u16(wire + at, type);
    wire_write_u16(wire + at + 2, CLASS_IN);
    at += 4;
    if (!bench->edns)
        return at;
    wire[11] = 1;
    wire_write_u16(wire + at + 1, TYPE_OPT);
    wire_write_u16(wire + at + 3, PAYLOAD);
    wire[at + 7] = bench->dnssec_ok ? 0x80 : 0;
    return at + 1 + WIRE_RR_FIXED_SIZE;
}

static void add_query(struct queries *queries, const uint8_t *wire, size_t length)
{
    uint16_t prefix = (uint16_t)length;

    if (queries->room - queries->used < length + sizeof prefix) {
        queries->room = queries->room * 2 + 65536;
        queries->octets = realloc(queries->octets, queries->room);
        if (queries->octets == NULL)
            give_up("queries", "no memory for them");
    }
    memcpy(queries->octets + queries->used, &prefix, sizeof prefix);
    memcpy(queries->octets + queries->used + sizeof prefix, wire, length);
    queries->used += sizeof prefix + length;
    queries->count++;
}

static void read_queries(struct bench *bench, const char *path)
{
    char line[4 * NAME_OCTETS_MAX + 64], name[sizeof line], type[sizeof line];
    uint8_t wire[QUERY_MAX];
    FILE *file = fopen(path, "r");

    if (file == NULL)
        give_up(path, "cannot be opened");
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%s %s", name, type) != 2)
            give_up(path, "lines are NAME TYPE");
        size_t length = make_query(bench, name, (uint16_t)ldns_get_rr_type_by_name(type), wire);
        add_query(&bench->queries, wire, length);
    }
    fclose(file);
    if (bench->queries.count == 0)
        give_up(path, "has no queries");
}

/* --- asking -------------------------------------------------------------------------------------
 */

/* The passes of server/query/udp.c. Not inlined: callgrind is told to count in here. */
__attribute__((noinline)) static void answer_batch(struct bench *bench, unsigned count)
{
    const struct client client = {.transport = TRANSPORT_UDP};
    struct answer_report report;

    bool search = false;

    for (unsigned i = 0; i < count; i++)
        search |= answer_begin(&tasks[i], &bench->settings, query[i], query_length[i]);
    for (unsigned i = 0; search && i < count; i++)
        answer_look_ahead(&tasks[i], &bench->settings);
    for (unsigned i = 0; search && i < count; i++)
        answer_look_into_zone(&tasks[i], &bench->settings);
    for (unsigned i = 0; i < count; i++)
        answer_look_closer(&tasks[i]);
    for (unsigned i = 0; i < count; i++) {
        bench->reply_octets +=
            answer_finish(&tasks[i], &bench->settings, &client, reply[i], REPLY_MAX, &report);
        bench->rcodes[report.rcode <= RCODE_BADVERS ? report.rcode : RCODE_BADVERS]++;
    }
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* What the kernel does in a worker. */
static const uint8_t *receive(const uint8_t *from, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        memcpy(&query_length[i], from, sizeof query_length[i]);
        from += sizeof query_length[i];
        memcpy(query[i], from, query_length[i]);
        from += query_length[i];
    }
    return from;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

/* Nanoseconds a query: of the median batch, for on a busy machine some are interrupted. */
static double ask_all(struct bench *bench)
{
    const uint8_t *from = bench->queries.octets;
    size_t batches = 0;

    for (size_t left = bench->queries.count; left > 0;) {
        unsigned count = left < bench->width ? (unsigned)left : bench->width;
        from = receive(from, count);
        double begun = now();
        answer_batch(bench, count);
        bench->times[batches++] = (now() - begun) / count;
        left -= count;
    }
    return median(bench->times, batches);
}

static void run(struct bench *bench, unsigned rounds)
{
    static double times[ROUNDS_MAX];
    double asked = (double)bench->queries.count * rounds;

    bench->times = calloc(bench->queries.count / bench->width + 1, sizeof *bench->times);
    if (bench->times == NULL)
        give_up("times", "no memory for them");
    for (unsigned i = 0; i < rounds; i++)
        times[i] = ask_all(bench);
    free(bench->times);
    double typical = median(times, rounds);
    printf("%.1f ns a query (median; %.1f to %.1f in %u rounds), %.1f octets an answer;", typical,
           times[0], times[rounds - 1], rounds, (double)bench->reply_octets / asked);
    for (unsigned rcode = 0; rcode <= RCODE_BADVERS; rcode++)
        if (bench->rcodes[rcode] > 0)
            printf(" RCODE %u: %.1f %%", rcode, 100 * (double)bench->rcodes[rcode] / asked);
    putchar('\n');
}

static _Noreturn void show_usage(void)
{
    fputs("usage: answer [-e | -d] [-w WIDTH] [-4] TABLE QUERYFILE [ROUNDS]\n"
          "  -e  queries with EDNS     -d  with EDNS and DO     -w  queries a batch (64)\n"
          "  -4  the table in pages of 4 kB, though the kernel would grant larger ones\n",
          stderr);
    exit(EXIT_FAILURE);
}

/* A number from 1 to `most`. */
static unsigned read_number(const char *text, unsigned most)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*end != '\0' || number < 1 || number > most)
        show_usage();
    return (unsigned)number;
}

int main(int argc, char **argv)
{
    static struct bench bench = {.width = 64};
    int option;

    while ((option = getopt(argc, argv, "edw:4")) != -1) {
        if (option == '?')
            show_usage();
        if (option == 'w')
            bench.width = read_number(optarg, WIDTH_MAX);
        bench.small_pages |= option == '4';
        bench.edns |= option == 'e' || option == 'd';
        bench.dnssec_ok |= option == 'd';
    }
    argc -= optind;
    argv += optind;
    if (argc < 2 || argc > 3)
        show_usage();
    open_table(&bench, argv[0]);
    read_queries(&bench, argv[1]);
    run(&bench, argc == 3 ? read_number(argv[2], ROUNDS_MAX) : ROUNDS_DEFAULT);
    return EXIT_SUCCESS;
}
