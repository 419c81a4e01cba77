/*
 * A query that crashes its worker costs that query only, each time it comes, and is logged in hex;
 * a worker that cannot live is given time, and others do its work meanwhile.
 */
#include "../unit/unit.h"
#include "daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 2, HEADER = 12, ROUNDS = 30, OTHERS = 40 };

static struct daemon daemon_under_test;
static time_t started;
static uint64_t queries_sent; /* over UDP */

static void write_zone(FILE *file)
{
    fputs("$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n", file);
}

/* Message ID `id` goes to worker id mod WORKERS. */
static size_t write_query(uint8_t *query, uint16_t id, bool poison)
{
    static const uint8_t good[] = "\2ns\4evil\4test\0\0\1\0";
    static const uint8_t bad[] = "\6poison\4evil\4test\0\0\1\0";
    const uint8_t *question = poison ? bad : good;
    size_t length =
        poison ? sizeof bad : sizeof good; /* the literal's NUL becomes the last octet */

    memset(query, 0, HEADER);
    query[0] = (uint8_t)(id >> 8);
    query[1] = (uint8_t)id;
    query[5] = 1;
    memcpy(query + HEADER, question, length);
    query[HEADER + length - 1] = 1;
    return HEADER + length;
}

static void send_query(int fd, uint16_t id, bool poison)
{
    uint8_t query[64];
    size_t length = write_query(query, id, poison);

    assert_int_equal(send(fd, query, length, 0), length);
    queries_sent++;
}

/* A batch is counted once it has been sent, by a successor if need be. */
static bool are_counted(void *unused)
{
    (void)unused;
    return daemon_sum(&daemon_under_test, "udp_queries") >= queries_sent;
}

static unsigned count_given_up(void)
{
    return daemon_count_given_up(&daemon_under_test);
}

static unsigned expected_given_up;

static bool is_given_up(void *unused)
{
    (void)unused;
    return count_given_up() >= expected_given_up;
}

/* Poison in the middle of others, to the same worker: all others are answered, exactly once. */
static void poison_costs_itself_only(void **state)
{
    int fd = daemon_connect(&daemon_under_test, SOCK_DGRAM);
    unsigned before = count_given_up();
    uint8_t answer[512];

    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        bool seen[OTHERS] = {false};
        for (unsigned i = 0; i < OTHERS; i++) {
            send_query(fd, (uint16_t)(2 * i), false);
            if (i == OTHERS / 2)
                send_query(fd, 9000, true);
        }
        for (unsigned i = 0; i < OTHERS; i++) {
            assert_true(recv(fd, answer, sizeof answer, 0) > HEADER);
            unsigned id = (unsigned)answer[0] << 8 | answer[1];
            assert_true(id % 2 == 0 && id / 2 < OTHERS);
            assert_false(seen[id / 2]);
            seen[id / 2] = true;
        }
        assert_int_equal(recv(fd, answer, sizeof answer, MSG_DONTWAIT), -1);
        expected_given_up = before + round + 1;
        assert_true(child_wait(is_given_up, NULL, 5));
        assert_int_equal(count_given_up(), expected_given_up);
    }
    /* in hex: ID 9000, and the name; if they come faster than that, ten a second */
    assert_in_range(
        daemon_count_logged(&daemon_under_test, ": 23280000000100000000000006706f69736f6e"), 9,
        ROUNDS);
    close(fd);
}

/* A whole batch of nothing else takes a worker a query, and yet the next answers. */
static void poison_alone_is_survived(void **state)
{
    enum { POISON = 100 };
    int fd = daemon_connect(&daemon_under_test, SOCK_DGRAM);
    uint8_t answer[512];

    (void)state;
    expected_given_up = count_given_up() + POISON;
    for (unsigned i = 0; i < POISON; i++)
        send_query(fd, (uint16_t)(2 * i), true);
    send_query(fd, 4, false);
    assert_true(recv(fd, answer, sizeof answer, 0) > HEADER);
    assert_int_equal(answer[1], 4);
    assert_true(child_wait(is_given_up, NULL, 10));
    assert_int_equal(count_given_up(), expected_given_up);
    assert_int_equal(daemon_count_logged(&daemon_under_test, "before they answered"), 0);
    /* Ten lines at once, and ten a second. */
    assert_in_range(daemon_count_logged(&daemon_under_test, "which is given up: "), 10,
                    10 + 10 * (unsigned)(time(NULL) - started + 1));
    /* They were queries, too. */
    assert_true(child_wait(are_counted, NULL, 10));
    assert_int_equal(daemon_sum(&daemon_under_test, "udp_queries"), queries_sent);
    close(fd);
}

static void poison_over_tcp_closes_that_connection(void **state)
{
    uint8_t frame[64] = {0}, answer[512];
    int fd = daemon_connect(&daemon_under_test, SOCK_STREAM);

    (void)state;
    expected_given_up = count_given_up() + 1;
    size_t length = write_query(frame + 2, 1, true);
    frame[1] = (uint8_t)length;
    assert_int_equal(send(fd, frame, length + 2, 0), length + 2);
    assert_true(recv(fd, answer, sizeof answer, 0) <= 0);
    close(fd);
    assert_true(child_wait(is_given_up, NULL, 5));
    assert_int_equal(daemon_count_logged(&daemon_under_test, "on this query over TCP"), 1);

    fd = daemon_connect(&daemon_under_test, SOCK_STREAM);
    length = write_query(frame + 2, 1, false);
    frame[1] = (uint8_t)length;
    assert_int_equal(send(fd, frame, length + 2, 0), length + 2);
    assert_true(recv(fd, answer, sizeof answer, 0) > HEADER);
    assert_int_equal(daemon_sum(&daemon_under_test, "tcp_queries"), 2);
    close(fd);
}

static bool backs_off(void *unused)
{
    pid_t list[CHILD_LIST_MAX];

    (void)unused;
    /* kills whatever is not the other worker, as soon as it is born */
    size_t count = child_list(daemon_under_test.pid, list);
    for (size_t i = 0; i < count; i++) {
        char name[16];
        if (child_name(list[i], name) && strcmp(name, "sorreld:0") == 0)
            kill(list[i], SIGSEGV);
    }
    return daemon_count_logged(&daemon_under_test, "the next starts in 0.8 s") > 0;
}

/* Worker 0 dies as soon as it is born: after a few attempts it is left out, and its share goes to
 * worker 1. */
static void a_crash_loop_is_steered_around(void **state)
{
    int fd = daemon_connect(&daemon_under_test, SOCK_DGRAM);
    uint8_t answer[512];
    pid_t pids[DAEMON_WORKERS_MAX];

    (void)state;
    assert_true(child_wait(backs_off, NULL, 20));
    for (uint16_t id = 0; id < 10; id++)
        send_query(fd, id, false);
    for (uint16_t id = 0; id < 10; id++)
        assert_true(recv(fd, answer, sizeof answer, 0) > HEADER);
    daemon_workers(&daemon_under_test, pids);
    for (uint16_t id = 0; id < 10; id++)
        send_query(fd, id, false);
    for (uint16_t id = 0; id < 10; id++)
        assert_true(recv(fd, answer, sizeof answer, 0) > HEADER);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            poison_over_tcp_closes_that_connection), /* before there is too much of it */
        cmocka_unit_test(poison_costs_itself_only),
        cmocka_unit_test(poison_alone_is_survived),
        cmocka_unit_test(a_crash_loop_is_steered_around),
    };

    started = time(NULL);
    daemon_start(&daemon_under_test, "tests/system/poisoned", WORKERS, "query", "evil.test",
                 write_zone);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    failed += !daemon_stop(&daemon_under_test, failed > 0);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
