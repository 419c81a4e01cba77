/* Sockets that the service manager has opened (sd_listen_fds(3)): they are served, with others
 * beside them for more workers, and for TCP where only UDP was opened. */
#include "../unit/unit.h"
#include "daemon.h"

#include "config.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SKIPPED = 77, FIRST_FD = 3, PATIENCE_SECONDS = 20, TEXT_MAX = 512 };

static char directory[64];

static void write_zone(const char *path)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fputs("$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n", file);
    assert_int_equal(fclose(file), 0);
}

/* A socket of that type at `port`, as descriptor `number`. */
static void open_socket(int number, int type, uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 16), 0);
    if (fd == number)
        return;
    assert_int_equal(dup2(fd, number), number);
    close(fd);
}

static const uint8_t query[] = "\22\64\0\0\0\1\0\0\0\0\0\0\12activation\4test\0\0\6\0\1";

static bool ask_udp(const struct daemon *daemon)
{
    int fd = daemon_connect(daemon, SOCK_DGRAM);
    uint8_t reply[512] = {0};

    send(fd, query, sizeof query - 1, 0);
    ssize_t length = recv(fd, reply, sizeof reply, 0);
    close(fd);
    return length > 12 && reply[7] == 1;
}

static bool ask_tcp(const struct daemon *daemon)
{
    int fd = daemon_connect(daemon, SOCK_STREAM);
    uint8_t frame[sizeof query + 1] = {0, sizeof query - 1}, reply[512] = {0};

    memcpy(frame + 2, query, sizeof query - 1);
    send(fd, frame, sizeof frame, MSG_NOSIGNAL);
    ssize_t length = recv(fd, reply, sizeof reply, 0);
    close(fd);
    return length > 2 + 12 && reply[2 + 7] == 1;
}

static bool has_two_workers(void *context)
{
    const struct daemon *daemon = context;
    pid_t children[CHILD_LIST_MAX];

    return daemon_count_logged(daemon, "2 workers now") == 1 &&
           child_list(daemon->pid, children) == 2;
}

static bool is_serving(void *context)
{
    const struct daemon *daemon = context;

    return daemon_count_logged(daemon, "sorreld: serving ") == 1 || !child_is_alive(daemon->pid);
}

static void serve_with(unsigned sockets)
{
    char zone[128], command[TEXT_MAX];
    const char *argv[] = {"sh", "-c", command, NULL};
    struct daemon daemon = {.port = child_free_port()};

    snprintf(daemon.log, sizeof daemon.log, "%s/log", directory);
    snprintf(zone, sizeof zone, "%s/activation.test.zone", directory);
    write_zone(zone);
    open_socket(FIRST_FD, SOCK_DGRAM, daemon.port);
    if (sockets == 2)
        open_socket(FIRST_FD + 1, SOCK_STREAM, daemon.port);
    snprintf(command, sizeof command,
             "LISTEN_PID=$$ LISTEN_FDS=%u exec ./sorreld -w 2 --control %s/control %s", sockets,
             directory, zone);
    daemon.pid = child_start(argv, daemon.log);
    close(FIRST_FD);
    if (sockets == 2)
        close(FIRST_FD + 1);
    assert_true(child_wait(is_serving, &daemon, PATIENCE_SECONDS));
    assert_true(child_wait(has_two_workers, &daemon, PATIENCE_SECONDS));
    for (int i = 0; i < 8; i++) {
        assert_true(ask_udp(&daemon));
        assert_true(ask_tcp(&daemon));
    }
    assert_true(child_stop(daemon.pid, SIGTERM, PATIENCE_SECONDS));
    unlink(daemon.log);
    unlink(zone);
}

static void sockets_for_udp_and_tcp(void **state)
{
    (void)state;
    serve_with(2);
}

static void a_socket_for_udp_alone(void **state)
{
    (void)state;
    serve_with(1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_for_udp_and_tcp),
        cmocka_unit_test(a_socket_for_udp_alone),
    };

#ifndef HAVE_LIBSYSTEMD
    return SKIPPED;
#endif
    /* Where the sockets have to be, and what is open there is not ours. */
    for (int fd = FIRST_FD; fd < FIRST_FD + 2; fd++)
        close(fd);
    snprintf(directory, sizeof directory, "/tmp/sorrel-test.XXXXXX");
    if (mkdtemp(directory) == NULL)
        return EXIT_FAILURE;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(directory);
    return failed;
}
