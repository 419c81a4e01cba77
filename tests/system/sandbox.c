/*
 * A worker that somebody has taken over can do nothing with it: each attempt ends the worker, costs
 * that one query, and is logged.
 */
#include "../unit/unit.h"
#include "daemon.h"
#include "server/host/sandbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WORKERS = 2, HEADER = 12, SKIPPED = 77 };

static struct daemon daemon_under_test;
static unsigned expected_deaths;

static const char *const attempts[] = {"socket", "bind", "connect", "open",  "execve", "fork",
                                       "ptrace", "kill", "mmap",    "write", "prctl"};

static void write_zone(FILE *file)
{
    fputs("$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n", file);
}

static void ask(int fd, const char *label)
{
    static const uint8_t rest[] = "\4evil\4test\0\0\1\0\1";
    uint8_t query[64] = {[5] = 1};
    size_t length = strlen(label);

    query[HEADER] = (uint8_t)length;
    memcpy(query + HEADER + 1, label, length);
    memcpy(query + HEADER + 1 + length, rest, sizeof rest - 1);
    length += HEADER + 1 + sizeof rest - 1;
    assert_int_equal(send(fd, query, length, 0), length);
}

static bool is_given_up(void *unused)
{
    (void)unused;
    return daemon_count_given_up(&daemon_under_test) >= expected_deaths;
}

static void what_workers_do_not_ends_them(void **state)
{
    uint8_t answer[512];
    int fd = daemon_connect(&daemon_under_test, SOCK_DGRAM);

    (void)state;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        ask(fd, attempts[i]);
        expected_deaths++;
        if (!child_wait(is_given_up, NULL, 5))
            fail_msg("%s was let through", attempts[i]);
        /* Queued behind it, or come after it: answered. */
        ask(fd, "ns");
        assert_true(recv(fd, answer, sizeof answer, 0) > HEADER);
        assert_int_equal(recv(fd, answer, sizeof answer, MSG_DONTWAIT), -1);
    }
    assert_int_equal(daemon_count_given_up(&daemon_under_test), expected_deaths);
    /* if they come faster than ten a second, the others are counted only */
    assert_true(daemon_count_logged(&daemon_under_test, "made a system call that workers do not") >=
                10);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_workers_do_not_ends_them)};

    sandbox_prepare(strcmp(SANDBOX_DEFAULT, "on") == 0 ? SANDBOX_ON : SANDBOX_OFF);
    if (!sandbox_in_force()->filter) {
        puts("there are no system-call filters here, or not in this build");
        return SKIPPED;
    }
    daemon_start(&daemon_under_test, "tests/system/hijacked", WORKERS, "query", "evil.test",
                 write_zone);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    failed += !daemon_stop(&daemon_under_test, failed > 0);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
