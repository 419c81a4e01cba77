/* Sockets that the service manager has opened (sd_listen_fds(3)): they are served, with others
 * beside them for more workers, and for TCP where only UDP was opened. */
#include "../unit/unit.h"
#include "daemon.h"

#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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

/* A socket of that type at `port`, as descriptor `number`: for IPv4, or for both families. False if
 * there is no IPv6. */
static bool open_socket(int number, int type, bool dual, uint16_t port)
{
    const struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const int off = 0;
    int fd = socket(dual ? AF_INET6 : AF_INET, type, 0);

    if (dual && (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0 ||
                 bind(fd, (const struct sockaddr *)&v6, sizeof v6) != 0)) {
        close(fd);
        return false;
    }
    assert_true(fd >= 0);
    if (!dual)
        assert_int_equal(bind(fd, (const struct sockaddr *)&v4, sizeof v4), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 16), 0);
    if (fd != number) {
        assert_int_equal(dup2(fd, number), number);
        close(fd);
    }
    return true;
}

static const uint8_t query[] = "\22\64\0\0\0\1\0\0\0\0\0\0\12activation\4test\0\0\6\0\1";

/* The RCODE of what comes from 127.0.0.1; -1: no answer. */
static int ask_udp(const struct daemon *daemon)
{
    int fd = daemon_connect(daemon, SOCK_DGRAM);
    uint8_t reply[512] = {0};

    send(fd, query, sizeof query - 1, 0);
    ssize_t length = recv(fd, reply, sizeof reply, 0);
    close(fd);
    return length >= 12 ? reply[3] & 0xf : -1;
}

static int ask_over(int connection)
{
    uint8_t frame[sizeof query + 1] = {0, sizeof query - 1}, reply[512] = {0};

    memcpy(frame + 2, query, sizeof query - 1);
    send(connection, frame, sizeof frame, MSG_NOSIGNAL);
    ssize_t length = recv(connection, reply, sizeof reply, 0);
    return length >= 2 + 12 ? reply[2 + 3] & 0xf : -1;
}

static int ask_tcp(const struct daemon *daemon)
{
    int fd = daemon_connect(daemon, SOCK_STREAM);
    int rcode = ask_over(fd);

    close(fd);
    return rcode;
}

/* The same over IPv6, from ::1. */
static int ask_v6(const struct daemon *daemon)
{
    const struct sockaddr_in6 to = {.sin6_family = AF_INET6,
                                    .sin6_port = htons(daemon->port),
                                    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    uint8_t reply[512] = {0};

    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    send(fd, query, sizeof query - 1, 0);
    ssize_t length = recv(fd, reply, sizeof reply, 0);
    close(fd);
    return length >= 12 ? reply[3] & 0xf : -1;
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

/* Starts it with the sockets that were opened, and an option, for two workers. */
static void start(struct daemon *daemon, unsigned sockets, const char *option)
{
    char zone[128], command[TEXT_MAX];
    const char *argv[] = {"sh", "-c", command, NULL};

    snprintf(daemon->log, sizeof daemon->log, "%s/log", directory);
    snprintf(zone, sizeof zone, "%s/activation.test.zone", directory);
    write_zone(zone);
    snprintf(command, sizeof command,
             "LISTEN_PID=$$ LISTEN_FDS=%u exec ./sorreld -w 2 %s --control %s/control %s", sockets,
             option, directory, zone);
    daemon->pid = child_start(argv, daemon->log);
    for (unsigned i = 0; i < sockets; i++)
        close(FIRST_FD + (int)i);
    assert_true(child_wait(is_serving, daemon, PATIENCE_SECONDS));
    assert_true(child_wait(has_two_workers, daemon, PATIENCE_SECONDS));
}

static void stop(struct daemon *daemon)
{
    char zone[128];

    assert_true(child_stop(daemon->pid, SIGTERM, PATIENCE_SECONDS));
    snprintf(zone, sizeof zone, "%s/activation.test.zone", directory);
    unlink(daemon->log);
    unlink(zone);
}

/* So many questions that each worker gets some. */
static void assert_answers(const struct daemon *daemon, int rcode)
{
    for (int i = 0; i < 8; i++) {
        assert_int_equal(ask_udp(daemon), rcode);
        assert_int_equal(ask_tcp(daemon), rcode);
    }
}

static void serve_with(unsigned sockets)
{
    struct daemon daemon = {.port = child_free_port()};

    open_socket(FIRST_FD, SOCK_DGRAM, false, daemon.port);
    if (sockets == 2)
        open_socket(FIRST_FD + 1, SOCK_STREAM, false, daemon.port);
    start(&daemon, sockets, "");
    assert_answers(&daemon, 0);
    stop(&daemon);
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

/* Bit N: worker N has been heard of. */
struct heard {
    const struct daemon *daemon;
    unsigned workers;
};

/* Asks once more over IPv4 who answers (worker.sorrel): have both done so? */
static bool has_heard_both(void *context)
{
    static const uint8_t asked[] = "\22\64\0\0\0\1\0\0\0\0\0\0\6worker\6sorrel\0\0\20\0\3";
    struct heard *heard = context;
    int fd = daemon_connect(heard->daemon, SOCK_DGRAM);
    char reply[512] = "";

    send(fd, asked, sizeof asked - 1, 0);
    ssize_t length = recv(fd, reply, sizeof reply - 1, 0);
    close(fd);
    for (ssize_t i = 0; i + 7 < length; i++)
        if (memcmp(reply + i, "worker ", 7) == 0)
            heard->workers |= 1u << (reply[i + 7] - '0');
    return heard->workers == 3;
}

/* Sockets for both families, UDP and TCP; 0: there is no IPv6. A port that is free for one of the
 * four need not be for all. */
static uint16_t open_dual_pair(void)
{
    enum { ATTEMPTS = 10 };

    for (unsigned i = 0; i < ATTEMPTS; i++) {
        uint16_t port = child_free_port();
        if (open_socket(FIRST_FD, SOCK_DGRAM, true, port) &&
            open_socket(FIRST_FD + 1, SOCK_STREAM, true, port))
            return port;
        if (errno != EADDRINUSE)
            return 0;
    }
    fail_msg("no free port in %d attempts", ATTEMPTS);
    return 0;
}

/* Who comes over IPv4 to a socket that is for IPv6 as well is an IPv4 client. */
static void sockets_for_both_families(void **state)
{
    static const struct {
        const char *option;
        int v4, v6; /* RCODEs */
    } cases[] = {{"--identity --allow-query=127.0.0.0/8", 0, 5},
                 {"--identity --allow-query=::/0", 5, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct daemon daemon = {.port = open_dual_pair()};
        if (daemon.port == 0)
            skip();
        start(&daemon, 2, cases[i].option);
        assert_answers(&daemon, cases[i].v4);
        for (int k = 0; k < 8; k++)
            assert_int_equal(ask_v6(&daemon), cases[i].v6);
        struct heard heard = {.daemon = &daemon};
        assert_true(child_wait(has_heard_both, &heard, PATIENCE_SECONDS));
        stop(&daemon);
    }
}

/* --- a takeover ------------------------------------------------------------------------------ */

static pid_t replace(const struct daemon *daemon)
{
    char path[128], line[TEXT_MAX];
    const char *argv[] = {"./sorrelctl", "--control", path, "takeover", NULL};
    int successor = 0;

    snprintf(path, sizeof path, "%s/control", directory);
    assert_int_equal(child_run(argv, daemon->log), 0);
    FILE *log = fopen(daemon->log, "re");
    assert_non_null(log);
    while (fgets(line, sizeof line, log) != NULL)
        sscanf(line, "process %d has taken over from process ", &successor);
    fclose(log);
    assert_true(successor > 0);
    return successor;
}

static bool is_stopped(void *pid)
{
    char path[64], state = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", *(const pid_t *)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
    fclose(file);
    return state == 'T';
}

/* Stops the daemon, and all its workers, which it would replace if it could; or has them go on. */
static void hold(pid_t daemon, bool stopped)
{
    pid_t processes[1 + CHILD_LIST_MAX] = {daemon};
    size_t count = 1 + child_list(daemon, processes + 1);

    for (size_t i = 0; i < count; i++) {
        pid_t pid = processes[stopped ? i : count - 1 - i];
        assert_int_equal(kill(pid, stopped ? SIGSTOP : SIGCONT), 0);
        assert_true(!stopped || child_wait(is_stopped, &pid, PATIENCE_SECONDS));
    }
}

static bool has_ended(void *pid)
{
    return child_has_ended(*(pid_t *)pid);
}

/* Who serves connections to their end is not disturbed by those that come to his successor, however
 * long they wait. Sockets that were there before all others are what it takes: once the worker has
 * closed them, what it opens next is in their place. */
static void a_takeover_leaves_connections_alone(void **state)
{
    enum { CONNECTIONS = 8, ROUNDS = 3 }; /* so many that each of two workers gets some */
    struct daemon daemon = {.port = child_free_port()};
    int kept[CONNECTIONS], added[CONNECTIONS];
    char option[64];

    (void)state;
    open_socket(FIRST_FD, SOCK_DGRAM, false, daemon.port);
    open_socket(FIRST_FD + 1, SOCK_STREAM, false, daemon.port);
    snprintf(option, sizeof option, "-l 127.0.0.1@%u", (unsigned)daemon.port);
    start(&daemon, 2, option);
    for (int i = 0; i < CONNECTIONS; i++) {
        kept[i] = daemon_connect(&daemon, SOCK_STREAM);
        assert_int_equal(ask_over(kept[i]), 0);
    }
    pid_t old = daemon.pid;
    daemon.pid = replace(&daemon);
    hold(daemon.pid, true);
    for (int i = 0; i < CONNECTIONS; i++)
        added[i] = daemon_connect(&daemon, SOCK_STREAM);
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < CONNECTIONS; i++)
            assert_int_equal(ask_over(kept[i]), 0);
    hold(daemon.pid, false);
    for (int i = 0; i < CONNECTIONS; i++) {
        assert_int_equal(ask_over(added[i]), 0);
        close(added[i]);
        close(kept[i]);
    }
    assert_true(child_wait(has_ended, &old, PATIENCE_SECONDS));
    stop(&daemon);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_for_udp_and_tcp),
        cmocka_unit_test(a_socket_for_udp_alone),
        cmocka_unit_test(sockets_for_both_families),
        cmocka_unit_test(a_takeover_leaves_connections_alone),
    };

#ifndef HAVE_LIBSYSTEMD
    return SKIPPED;
#endif
    /* The daemon that takes over is the old one's child, and then ours. */
    prctl(PR_SET_CHILD_SUBREAPER, 1UL);
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
