/*
 * TCP connections to workers that are one too many: a query that is under way is answered, and the
 * connection is closed when it is idle; connections to the others stay.
 */
#include "../unit/unit.h"
#include "daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WORKERS = 4, CONNECTIONS = 32, HEADER = 12 };

static struct daemon daemon_under_test;

static const uint8_t frame[] = "\0\x1f\1\2\0\0\0\1\0\0\0\0\0\0"
                               "\2ns\5leave\4test\0\0\1\0\1";
enum { FRAME = sizeof frame - 1, FIRST_PART = 7 };

static void write_zone(FILE *file)
{
    fputs("$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n", file);
}

static void send_octets(int fd, const uint8_t *octets, size_t count)
{
    assert_int_equal(send(fd, octets, count, MSG_NOSIGNAL), count);
}

/* True with one whole answer; false at the end of the connection. */
static bool receive_answer(int fd)
{
    uint8_t answer[512];
    size_t length = 0;

    while (length < 2 || length < 2U + (unsigned)(answer[0] << 8 | answer[1])) {
        ssize_t n = recv(fd, answer + length, sizeof answer - length, 0);
        if (n == 0 && length == 0)
            return false;
        assert_true(n > 0);
        length += (size_t)n;
    }
    assert_int_equal(answer[5] & 15, 0); /* NOERROR */
    assert_int_equal(answer[9], 1);      /* ANCOUNT */
    return true;
}

static pid_t start_control(const char *word, const char *argument)
{
    char path[96];
    const char *const argv[] = {"./sorrelctl", "--control", path, word, argument, NULL};

    snprintf(path, sizeof path, "%s/control", daemon_under_test.directory);
    return child_start(argv, daemon_under_test.log);
}

static bool has_ended(void *pid)
{
    return child_has_ended(*(pid_t *)pid);
}

/* `sorrelctl status`, into the log. */
static bool retires(void *unused)
{
    pid_t status = start_control("status", NULL);

    (void)unused;
    assert_true(child_wait(has_ended, &status, 20));
    return daemon_count_logged(&daemon_under_test, " retiring ") == WORKERS - 1;
}

static void expect_workers(unsigned count)
{
    pid_t pids[DAEMON_WORKERS_MAX];

    daemon_under_test.workers = count;
    daemon_workers(&daemon_under_test, pids);
}

static void connections_end_when_idle(void **state)
{
    int connections[CONNECTIONS];
    unsigned kept = 0;

    (void)state;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        connections[i] = daemon_connect(&daemon_under_test, SOCK_STREAM);
        send_octets(connections[i], frame, FRAME);
        assert_true(receive_answer(connections[i]));
        send_octets(connections[i], frame, FIRST_PART);
    }
    pid_t control = start_control("workers", "1");
    assert_true(child_wait(retires, NULL, 20));
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        send_octets(connections[i], frame + FIRST_PART, FRAME - FIRST_PART);
        assert_true(receive_answer(connections[i]));
    }
    assert_true(child_wait(has_ended, &control, 20));
    expect_workers(1);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        bool open = send(connections[i], frame, FRAME, MSG_NOSIGNAL) == FRAME &&
                    recv(connections[i], &(uint8_t){0}, 1, MSG_PEEK) == 1;
        kept += open && receive_answer(connections[i]);
        close(connections[i]);
    }
    /* Each connection had one chance in four to be worker 0's. */
    assert_in_range(kept, 1, CONNECTIONS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_end_when_idle),
    };

    daemon_start(&daemon_under_test, "./sorreld", WORKERS, "query", "leave.test", write_zone);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    failed += !daemon_stop(&daemon_under_test, failed > 0);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
