/* A takeover and those who are connected over TCP: their connections are served to the end by the
 * workers that have them, new ones by the new daemon. */
#include "../unit/unit.h"
#include "daemon.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PATIENCE_SECONDS = 20,
    ADDED = 8, /* so many that each of two workers gets some */
};

static struct daemon daemon_under_test;

static void write_zone(FILE *file)
{
    fputs("$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n", file);
}

/* Asks for the SOA of succession.test; false if there is no answer. */
static bool ask(int connection)
{
    static const uint8_t query[] = "\0\41\22\64\0\0\0\1\0\0\0\0\0\0\12succession\4test\0\0\6\0\1";
    uint8_t reply[512];

    if (send(connection, query, sizeof query - 1, MSG_NOSIGNAL) != sizeof query - 1 ||
        recv(connection, reply, 2, MSG_WAITALL) != 2)
        return false;
    ssize_t length = reply[0] << 8 | reply[1];
    return length >= 12 && length <= (ssize_t)sizeof reply &&
           recv(connection, reply, (size_t)length, MSG_WAITALL) == length && reply[7] == 1;
}

static bool ask_all(const int added[ADDED])
{
    for (int i = 0; i < ADDED; i++)
        if (!ask(added[i]))
            return false;
    return true;
}

/* Has another process take over, and returns it. */
static pid_t replace(void)
{
    char path[128], line[256];
    int successor = 0;
    const char *argv[] = {"./sorrelctl", "--control", path, "takeover", NULL};

    snprintf(path, sizeof path, "%s/control", daemon_under_test.directory);
    assert_int_equal(child_run(argv, daemon_under_test.log), 0);
    FILE *log = fopen(daemon_under_test.log, "re");
    assert_non_null(log);
    while (fgets(line, sizeof line, log) != NULL)
        sscanf(line, "process %d has taken over from process ", &successor);
    fclose(log);
    assert_true(successor > 0);
    return successor;
}

static bool has_ended(void *pid)
{
    return child_has_ended(*(pid_t *)pid);
}

static void connections_are_served_to_their_end(void **state)
{
    pid_t old = daemon_under_test.pid;
    int kept = daemon_connect(&daemon_under_test, SOCK_STREAM);
    int silent = daemon_connect(&daemon_under_test, SOCK_STREAM);
    int added[ADDED];

    (void)state;
    assert_true(ask(kept));
    assert_true(ask(silent));
    daemon_under_test.pid = replace();
    assert_true(child_is_alive(old));
    for (int i = 0; i < 3; i++)
        assert_true(ask(kept));
    /* Who serves a connection to its end is not disturbed by those that come to its successor. */
    for (int i = 0; i < ADDED; i++) {
        added[i] = daemon_connect(&daemon_under_test, SOCK_STREAM);
        assert_true(ask(added[i]));
        assert_true(ask(kept));
        assert_true(ask(silent));
    }

    /* The second takeover does not wait for the connections of the first. */
    pid_t second = daemon_under_test.pid;
    daemon_under_test.pid = replace();
    assert_true(ask(kept));
    assert_true(ask_all(added));
    close(kept);
    assert_true(child_is_alive(old));
    close(silent);
    assert_true(child_wait(has_ended, &old, PATIENCE_SECONDS));
    assert_true(ask_all(added));
    for (int i = 0; i < ADDED; i++)
        close(added[i]);
    assert_true(child_wait(has_ended, &second, PATIENCE_SECONDS));
    assert_true(child_is_alive(daemon_under_test.pid));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_served_to_their_end),
    };

    /* The new daemon is the old one's child, and then ours. */
    prctl(PR_SET_CHILD_SUBREAPER, 1UL);
    daemon_start(&daemon_under_test, "./sorreld", 2, "hash", "succession.test", write_zone);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (!daemon_stop(&daemon_under_test, failed != 0)) {
        print_error("sorreld does not stop as it should\n");
        return EXIT_FAILURE;
    }
    return failed;
}
