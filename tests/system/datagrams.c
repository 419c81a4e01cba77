/* Datagrams of any size and content, at the real daemon: none stalls it, kills a worker, or costs
 * others their answers. */
#include "../unit/unit.h"
#include "daemon.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WORKERS = 2, DATAGRAM_MAX = 65507, QUERY_MAX = 4096, HEADER = 12, FORMERR = 1 };

static struct daemon daemon_under_test;
static const uint8_t question[] = "\2ns\4data\4test\0\0\1\0\1"; /* the final NUL is none of it */

static void write_zone(FILE *file)
{
    fputs("$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n", file);
}

/* A query with message ID `id`, which by -s query goes to worker id mod WORKERS. */
static size_t write_query(uint8_t *query, uint16_t id)
{
    memset(query, 0, HEADER);
    query[0] = (uint8_t)(id >> 8);
    query[1] = (uint8_t)id;
    query[5] = 1;
    memcpy(query + HEADER, question, sizeof question - 1);
    return HEADER + sizeof question - 1;
}

/* Sends `query` and returns the length of the answer that bears its ID; what else comes is passed
 * over. 0 if none comes for five seconds. */
static size_t ask(int fd, const uint8_t *query, size_t length, uint8_t answer[512])
{
    assert_int_equal(send(fd, query, length, 0), length);
    for (;;) {
        ssize_t n = recv(fd, answer, 512, 0);
        if (n < 0)
            return 0;
        if (n >= 2 && memcmp(answer, query, 2) == 0)
            return (size_t)n;
    }
}

/* Every worker still answers. */
static void check_service(void)
{
    int fd = daemon_connect(&daemon_under_test, SOCK_DGRAM);
    uint8_t query[64], answer[512];

    for (uint16_t worker = 0; worker < WORKERS; worker++) {
        size_t length = write_query(query, (uint16_t)(4000 + worker));
        assert_true(ask(fd, query, length, answer) > length);
        assert_int_equal(answer[3] & 15, 0);
        assert_int_equal(answer[7], 1);
    }
    close(fd);
}

static void drain(int fd)
{
    uint8_t answer[65536];

    while (recv(fd, answer, sizeof answer, MSG_DONTWAIT) >= 0)
        ;
}

static void any_size_and_content(void **state)
{
    static uint8_t datagram[DATAGRAM_MAX];
    int fd = daemon_connect(&daemon_under_test, SOCK_DGRAM);
    unsigned seed = 42;

    (void)state;
    for (size_t size = 0; size <= DATAGRAM_MAX; size += size < 600 ? 1 : size < 5000 ? 97 : 4999) {
        for (size_t i = 0; i < size; i++)
            datagram[i] = (uint8_t)rand_r(&seed);
        for (unsigned repeat = 0; repeat < 4; repeat++) {
            datagram[1] = (uint8_t)repeat;
            /* queries more often than responses, and with one question more often than with 30,000
             */
            if (size >= HEADER && repeat > 0) {
                datagram[2] &= 0x7f;
                datagram[4] = 0;
                datagram[5] = 1;
            }
            assert_int_equal(send(fd, datagram, size, 0), size);
        }
        drain(fd);
        if (size % 64 == 0)
            check_service();
    }
    close(fd);
    check_service();
}

/* A right query with octets changed comes much further than noise does. */
static void nearly_right_queries(void **state)
{
    int fd = daemon_connect(&daemon_under_test, SOCK_DGRAM);
    uint8_t query[64];
    unsigned seed = 43;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        size_t length = write_query(query, (uint16_t)i);
        for (unsigned changes = 1 + i % 3; changes > 0; changes--)
            query[2 + (unsigned)rand_r(&seed) % (length - 2)] = (uint8_t)rand_r(&seed);
        assert_int_equal(send(fd, query, length, 0), length);
        if (i % 16 == 0)
            drain(fd);
        if (i % 1024 == 0)
            check_service();
    }
    close(fd);
    check_service();
}

static void a_query_that_is_too_long_gets_formerr(void **state)
{
    static uint8_t datagram[DATAGRAM_MAX];
    static const struct {
        size_t length;
        unsigned rcode;
        size_t answer; /* 0: longer than a header */
    } cases[] = {
        /* octets behind the question: readable up to the limit */
        {QUERY_MAX + 1, FORMERR, HEADER},
        {20000, FORMERR, HEADER},
        {DATAGRAM_MAX, FORMERR, HEADER},
    };
    int fd = daemon_connect(&daemon_under_test, SOCK_DGRAM);
    uint8_t answer[512];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_query(datagram, (uint16_t)(500 + i));
        assert_int_equal(ask(fd, datagram, cases[i].length, answer), cases[i].answer);
        assert_int_equal(answer[3] & 15, cases[i].rcode);
    }
    close(fd);
}

static void responses_get_no_answer(void **state)
{
    int fd = daemon_connect(&daemon_under_test, SOCK_DGRAM);
    uint8_t query[64], answer[512];

    (void)state;
    /* The next query goes to the same worker, so its answer comes after whatever this one would
     * have got. */
    size_t length = write_query(query, 8);
    query[2] |= 0x80;
    assert_int_equal(send(fd, query, length, 0), length);
    length = write_query(query, 10);
    assert_int_equal(send(fd, query, length, 0), length);
    assert_true(recv(fd, answer, sizeof answer, 0) > (ssize_t)length);
    assert_int_equal(answer[1], 10);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_size_and_content),
        cmocka_unit_test(nearly_right_queries),
        cmocka_unit_test(a_query_that_is_too_long_gets_formerr),
        cmocka_unit_test(responses_get_no_answer),
    };
    pid_t before[DAEMON_WORKERS_MAX], after[DAEMON_WORKERS_MAX];

    daemon_start(&daemon_under_test, "./sorreld", WORKERS, "query", "data.test", write_zone);
    daemon_workers(&daemon_under_test, before);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    daemon_workers(&daemon_under_test, after);
    if (memcmp(before, after, WORKERS * sizeof *before) != 0) {
        puts("a worker has died");
        failed++;
    }
    failed += !daemon_stop(&daemon_under_test, failed > 0);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
