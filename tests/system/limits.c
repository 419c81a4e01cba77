/*
 * Floods at the real daemon: from one network that is limited, beside another that is not, and a
 * client of the first that has a cookie. All of 127.0.0.0/8 is this machine, so these are
 * 127.0.1.0/24 and 127.0.2.0/24.
 *
 *     limits [SECONDS [QUERIES_A_SECOND [OTHERS]]]
 *
 * tells how long each flood lasts, how dense it is, and how many queries a second the other two
 * ask: half of what one network may, lest a machine that has other work for a while, and then
 * makes them ask all that is due at once, puts them over the limit.
 */
#include "../unit/unit.h"
#include "daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 4, LIMIT = 1000, SLIP = 10, SOCKETS = 8, BURST_MAX = 200, QUERY_MAX = 96 };
enum { HEADER = 12, COOKIE = 24, TRUNCATED = 2 };

static double seconds = 1.2;
static unsigned flood_rate = 50000, other_rate = LIMIT / 2;
static struct daemon daemon_under_test;

static void write_zone(FILE *file)
{
    fputs("$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n", file);
}

static double clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A client at `address`; answers that it has no time for wait. */
static int connect_from(const char *address, int type)
{
    const int room = 4 << 20;
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(daemon_under_test.port)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    assert_int_equal(inet_pton(AF_INET, address, &from.sin_addr), 1);
    assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return fd;
}

/* With a COOKIE option if `cookie_length` is more than 0. */
static size_t write_query(uint8_t *query, uint16_t id, const uint8_t *cookie, size_t cookie_length)
{
    static const uint8_t question[] = "\2ns\6limits\4test\0\0\1\0\1";
    static const uint8_t opt[] = "\0\0\x29\4\xd0\0\0\0\0\0";
    uint8_t *at = query + HEADER;

    memset(query, 0, HEADER);
    query[0] = (uint8_t)(id >> 8);
    query[1] = (uint8_t)id;
    query[5] = 1;
    memcpy(at, question, sizeof question - 1);
    at += sizeof question - 1;
    if (cookie_length == 0)
        return (size_t)(at - query);
    query[11] = 1;
    memcpy(at, opt, sizeof opt - 1);
    at += sizeof opt - 1;
    *at++ = (uint8_t)(4 + cookie_length);
    memcpy(at, "\0\xa\0", 3);
    at[3] = (uint8_t)cookie_length;
    memcpy(at + 4, cookie, cookie_length);
    return (size_t)(at + 4 + cookie_length - query);
}

struct tally {
    unsigned asked;
    unsigned answered; /* with the record */
    unsigned slipped;  /* truncated, without */
    double last;       /* answer came then */
};

static void take_answers(int fd, struct tally *tally)
{
    uint8_t answer[512];

    while (recv(fd, answer, sizeof answer, MSG_DONTWAIT) >= HEADER) {
        bool truncated = answer[2] & TRUNCATED;
        assert_int_equal(answer[7], !truncated);
        tally->answered += !truncated;
        tally->slipped += truncated;
        tally->last = clock_now();
    }
}

/* Asks once and waits for the answer; puts its COOKIE option, if it has one, into `cookie`. */
static void get_cookie(int fd, uint8_t cookie[COOKIE])
{
    struct pollfd poll_for = {.fd = fd, .events = POLLIN};
    uint8_t query[QUERY_MAX], answer[512];
    size_t length = write_query(query, 1, (const uint8_t *)"client 9", 8);

    assert_int_equal(send(fd, query, length, 0), length);
    assert_int_equal(poll(&poll_for, 1, 10000), 1);
    ssize_t n = recv(fd, answer, sizeof answer, 0);
    assert_true(n > COOKIE);
    memcpy(cookie, answer + n - COOKIE, COOKIE);
    assert_memory_equal(cookie, "client 9\1\0\0\0", 12);
}

/* --- the flood ------------------------------------------------------------------------- */

struct clients {
    int flooding[SOCKETS];
    int neighbour;
    int known;
    uint8_t cookie[COOKIE];
};

static void open_clients(struct clients *clients)
{
    char address[32];

    for (unsigned i = 0; i < SOCKETS; i++) {
        snprintf(address, sizeof address, "127.0.1.%u", 1 + i);
        clients->flooding[i] = connect_from(address, SOCK_DGRAM);
    }
    clients->neighbour = connect_from("127.0.2.1", SOCK_DGRAM);
    clients->known = connect_from("127.0.1.99", SOCK_DGRAM);
    get_cookie(clients->known, clients->cookie);
}

static void close_clients(const struct clients *clients)
{
    for (unsigned i = 0; i < SOCKETS; i++)
        close(clients->flooding[i]);
    close(clients->neighbour);
    close(clients->known);
}

static void send_burst(int fd, unsigned count, struct tally *tally)
{
    static uint8_t queries[BURST_MAX][QUERY_MAX];
    struct mmsghdr messages[BURST_MAX];
    struct iovec iov[BURST_MAX];

    for (unsigned i = 0; i < count; i++) {
        iov[i].iov_base = queries[i];
        iov[i].iov_len = write_query(queries[i], (uint16_t)tally->asked++, NULL, 0);
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iov[i], .msg_iovlen = 1}};
    }
    assert_int_equal(sendmmsg(fd, messages, count, 0), count);
}

static void ask_once(int fd, const uint8_t *cookie, size_t cookie_length, struct tally *tally)
{
    uint8_t query[QUERY_MAX];
    size_t length = write_query(query, (uint16_t)tally->asked++, cookie, cookie_length);

    assert_int_equal(send(fd, query, length, 0), length);
}

struct tallies {
    struct tally flood, neighbour, known;
};

static void take_all(const struct clients *clients, struct tallies *tallies)
{
    for (unsigned i = 0; i < SOCKETS; i++)
        take_answers(clients->flooding[i], &tallies->flood);
    take_answers(clients->neighbour, &tallies->neighbour);
    take_answers(clients->known, &tallies->known);
}

/* One socket after the other has a burst, so that the hash has flows to spread; the other two ask
 * half as often as one network may. Returns when it began. */
static double flood(const struct clients *clients, struct tallies *tallies)
{
    double start = clock_now(), now = start;
    unsigned round = 0;

    for (; now < start + seconds; now = clock_now()) {
        double due = (now - start) * flood_rate - tallies->flood.asked;
        unsigned burst = due > BURST_MAX ? BURST_MAX : due > 0 ? (unsigned)due : 0;
        if (burst > 0)
            send_burst(clients->flooding[round++ % SOCKETS], burst, &tallies->flood);
        if (tallies->neighbour.asked < (now - start) * other_rate)
            ask_once(clients->neighbour, NULL, 0, &tallies->neighbour);
        if (tallies->known.asked < (now - start) * other_rate)
            ask_once(clients->known, clients->cookie, COOKIE, &tallies->known);
        take_all(clients, tallies);
    }
    return start;
}

struct scene {
    struct clients clients;
    struct tallies tallies;
};

static bool is_all_answered(void *context)
{
    struct scene *scene = context;
    const struct tallies *tallies = &scene->tallies;

    take_all(&scene->clients, &scene->tallies);
    return tallies->neighbour.answered == tallies->neighbour.asked &&
           tallies->known.answered == tallies->known.asked;
}

static void check_flood(const char *steering)
{
    static const char *const options[] = {"--rate-limit", "1000", "--rate-limit-slip", "10", NULL};
    struct scene scene = {0};
    const struct tally *flooding = &scene.tallies.flood;
    const struct tally *neighbour = &scene.tallies.neighbour, *known = &scene.tallies.known;

    daemon_start_with(&daemon_under_test, "./sorreld", WORKERS, steering, options, "limits.test",
                      write_zone);
    open_clients(&scene.clients);
    double start = flood(&scene.clients, &scene.tallies);
    bool others_are_answered = child_wait(is_all_answered, &scene, 5);
    double took = flooding->last - start; /* a worker with much to do may come late */
    print_message("%s: %.2f s, %u asked, %u answered (%.1f %% of the limit), %u slipped; "
                  "neighbour %u of %u, cookie %u of %u\n",
                  steering, took, flooding->asked, flooding->answered,
                  100 * flooding->answered / (took * LIMIT), flooding->slipped,
                  neighbour->answered, neighbour->asked, known->answered, known->asked);
    assert_true(others_are_answered);
    /* Not all that is due, if the machine has other work for a fifth of a second; never more. */
    assert_in_range(flooding->answered, took * LIMIT * 0.85, took * LIMIT * 1.05);
    assert_in_range(flooding->slipped, 1, flooding->asked / SLIP);
    assert_int_equal(daemon_count_logged(&daemon_under_test, "127.0.1.0/24 are limited to 1000"),
                     1);
    assert_int_equal(daemon_count_logged(&daemon_under_test, "127.0.2.0/24"), 0);
    close_clients(&scene.clients);
    assert_true(daemon_stop(&daemon_under_test, false));
}

static void under_hash(void **state)
{
    (void)state;
    check_flood("hash");
}

static void under_query(void **state)
{
    (void)state;
    check_flood("query");
}

static void under_random(void **state)
{
    (void)state;
    check_flood("random");
}

static void under_cpu(void **state)
{
    (void)state;
    check_flood("cpu");
}

static void under_shared(void **state)
{
    (void)state;
    check_flood("shared");
}

/* --- connections ------------------------------------------------------------------------ */

/* Waits for what becomes of a connection on which one query is sent: true if it is answered, false
 * if it is closed. */
static bool is_served(int fd)
{
    struct pollfd poll_for = {.fd = fd, .events = POLLIN};
    uint8_t frame[2 + QUERY_MAX], answer[512];
    size_t length = write_query(frame + 2, 1, NULL, 0);

    frame[0] = 0;
    frame[1] = (uint8_t)length;
    send(fd, frame, 2 + length, MSG_NOSIGNAL);
    assert_int_equal(poll(&poll_for, 1, 10000), 1);
    return recv(fd, answer, sizeof answer, 0) > HEADER;
}

static void connections_are_limited(void **state)
{
    static const char *const options[] = {"--tcp-connections", "4", "--tcp-per-network", "2", NULL};
    static const struct {
        const char *address;
        bool served;
    } connections[] = {{"127.0.1.1", true},  {"127.0.1.2", true},  {"127.0.1.3", false},
                       {"127.0.2.1", true},  {"127.0.2.1", true},  {"127.0.2.1", false},
                       {"127.0.3.1", true},  {"127.0.3.1", false}, {"127.0.4.1", true}};
    enum { COUNT = sizeof connections / sizeof connections[0] };
    int fds[COUNT];

    (void)state;
    daemon_start_with(&daemon_under_test, "./sorreld", 1, "hash", options, "limits.test",
                      write_zone);
    /* The third network gets a place of one of those that have two; so does the fourth, of the
     * other. Then each has one. */
    for (unsigned i = 0; i < COUNT; i++) {
        fds[i] = connect_from(connections[i].address, SOCK_STREAM);
        if (is_served(fds[i]) != connections[i].served)
            fail_msg("connection %u, from %s", i, connections[i].address);
    }
    for (unsigned i = 0; i < COUNT; i++)
        close(fds[i]);
    assert_true(daemon_stop(&daemon_under_test, false));
}

static void idle_connections_are_closed(void **state)
{
    static const char *const options[] = {"--tcp-idle", "1", NULL};
    uint8_t octet;

    (void)state;
    daemon_start_with(&daemon_under_test, "./sorreld", 1, "hash", options, "limits.test",
                      write_zone);
    int fd = connect_from("127.0.1.1", SOCK_STREAM);
    struct pollfd poll_for = {.fd = fd, .events = POLLIN};
    assert_true(is_served(fd));
    double start = clock_now();
    assert_int_equal(poll(&poll_for, 1, 9000), 1);
    assert_int_equal(recv(fd, &octet, 1, 0), 0);
    assert_true(clock_now() - start > 0.5);
    close(fd);
    assert_true(daemon_stop(&daemon_under_test, false));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(under_hash),
        cmocka_unit_test(under_query),
        cmocka_unit_test(under_random),
        cmocka_unit_test(under_cpu),
        cmocka_unit_test(under_shared),
        cmocka_unit_test(connections_are_limited),
        cmocka_unit_test(idle_connections_are_closed),
    };

    if (argc > 1)
        seconds = strtod(argv[1], NULL);
    if (argc > 2)
        flood_rate = (unsigned)strtoul(argv[2], NULL, 10);
    if (argc > 3)
        other_rate = (unsigned)strtoul(argv[3], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
