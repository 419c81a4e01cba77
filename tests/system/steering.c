/*
 * The policies, live: where the kernel sends one flow's queries, by what the workers have counted.
 */
#include "../unit/unit.h"
#include "daemon.h"

#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WORKERS = 4, QUERIES = 4000, AT_ONCE = 50, ANY = -1 };

static struct daemon daemon_under_test;
static char document[1 << 18];

static void write_zone(FILE *file)
{
    fputs("$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n", file);
}

/* What sorrelctl says, into `document`; its exit status. */
static int control(const char *word, const char *argument)
{
    char socket[96], output[96];
    const char *const argv[] = {"./sorrelctl", "--control", socket, "--json", word, argument, NULL};

    snprintf(socket, sizeof socket, "%s/control", daemon_under_test.directory);
    snprintf(output, sizeof output, "%s/said", daemon_under_test.directory);
    int status = child_run(argv, output);
    FILE *file = fopen(output, "re");
    assert_non_null(file);
    document[fread(document, 1, sizeof document - 1, file)] = '\0';
    fclose(file);
    unlink(output);
    return status;
}

/* Of each worker at the first address. */
static void read_queries(uint64_t queries[WORKERS])
{
    assert_int_equal(control("stats", NULL), 0);
    const char *at = strstr(document, "\"sockets\": [");
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_non_null(at);
        at = strstr(at + 1, "\"queries\": ");
        assert_non_null(at);
        queries[i] = strtoull(at + strlen("\"queries\": "), NULL, 10);
    }
}

static void ask(int fd, unsigned first, unsigned count)
{
    uint8_t query[] = "\0\0\0\0\0\1\0\0\0\0\0\0\2ns\5steer\4test\0\0\1\0\1";
    uint8_t answer[512];

    for (unsigned i = 0; i < count; i++) {
        query[0] = (uint8_t)((first + i) >> 8);
        query[1] = (uint8_t)(first + i);
        assert_int_equal(send(fd, query, sizeof query - 1, 0), sizeof query - 1);
    }
    for (unsigned i = 0; i < count; i++)
        assert_true(recv(fd, answer, sizeof answer, 0) > 12);
}

/* Loopback delivers on the CPU that sends. Returns its number. */
static int stay_on_one_cpu(void)
{
    int cpu = sched_getcpu();
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET((unsigned)cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    return cpu;
}

struct expectation {
    const char *policy;
    unsigned least, most; /* queries of each worker, or ... */
    bool only_one;        /* ... all of one worker's */
};

static void expect_shares(const struct expectation *expected, const uint64_t before[WORKERS],
                          const uint64_t after[WORKERS], int cpu)
{
    uint64_t sum = 0;
    unsigned busy = 0;

    for (unsigned i = 0; i < WORKERS; i++) {
        uint64_t count = after[i] - before[i];
        print_message("%s: worker %u has counted %" PRIu64 "\n", expected->policy, i, count);
        sum += count;
        busy += count > 0;
        if (!expected->only_one)
            assert_in_range(count, expected->least, expected->most);
        else if (strcmp(expected->policy, "cpu") == 0)
            assert_int_equal(count, i == (unsigned)cpu % WORKERS ? QUERIES : 0);
    }
    assert_int_equal(sum, QUERIES);
    if (expected->only_one)
        assert_int_equal(busy, 1);
}

/* A workers' range is that of 5 standard deviations where chance decides. */
static void one_flow_goes_where_the_policy_says(void **state)
{
    static const struct expectation cases[] = {
        {"hash", 0, 0, true},          {"query", QUERIES / WORKERS, QUERIES / WORKERS, false},
        {"random", 863, 1137, false},  {"cpu", 0, 0, true},
        {"shared", 0, QUERIES, false}, {"query", QUERIES / WORKERS, QUERIES / WORKERS, false},
    };
    int fd = daemon_connect(&daemon_under_test, SOCK_DGRAM), cpu = stay_on_one_cpu();

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        uint64_t before[WORKERS], after[WORKERS];
        char proof[64];
        assert_int_equal(control("steering", cases[c].policy), 0);
        snprintf(proof, sizeof proof, "\"effective\": \"%s\"", cases[c].policy);
        assert_non_null(strstr(document, proof));
        assert_int_equal(control("stats", NULL), 0);
        assert_null(strstr(document, "\"interval\"")); /* what was before is no sign of it */
        read_queries(before);
        for (unsigned i = 0; i < QUERIES; i += AT_ONCE)
            ask(fd, i, AT_ONCE);
        read_queries(after);
        expect_shares(&cases[c], before, after, cpu);
    }
    close(fd);
}

static void what_is_no_policy_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(control("steering", "random"), 0);
    assert_int_not_equal(control("steering", "evenly"), 0);
    assert_int_equal(control("steering", NULL), 0);
    assert_non_null(strstr(document, "\"policy\": \"random\""));
    assert_non_null(strstr(document, "tried out"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_flow_goes_where_the_policy_says),
        cmocka_unit_test(what_is_no_policy_changes_nothing),
    };

    daemon_start(&daemon_under_test, "./sorreld", WORKERS, "hash", "steer.test", write_zone);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    failed += !daemon_stop(&daemon_under_test, failed > 0);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
