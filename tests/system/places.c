/* Who gets a worker's places for TCP connections when all are taken. All of 127.0.0.0/8 is this
 * machine, so each of its /24 can be a client network. */
#include "../unit/unit.h"
#include "daemon.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PLACES = 16, IDLE_SECONDS = 600, PATIENCE_SECONDS = 20, NEWCOMER = 200 };

static struct daemon daemon_under_test;

/* Who has the places; -1: no more. */
static int holders[PLACES];

static void write_zone(FILE *file)
{
    fputs("$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n", file);
}

/* A connection from the network of that number, 0 to 255. */
static int connect_from(unsigned network)
{
    return daemon_connect_from(&daemon_under_test, SOCK_STREAM, 0x7f010001 + (network << 8));
}

/* Asks for the SOA of places.test, with an empty edns-tcp-keepalive option. Returns what that is
 * answered with, in 100 ms; -1: the connection is closed. */
static int ask(int connection)
{
    static const uint8_t query[] = "\0\54\22\64\0\0\0\1\0\0\0\0\0\1\6places\4test\0\0\6\0\1"
                                   "\0\0\51\4\320\0\0\0\0\0\4\0\13\0\0";
    uint8_t reply[512];

    if (send(connection, query, sizeof query - 1, MSG_NOSIGNAL) != sizeof query - 1 ||
        recv(connection, reply, 2, MSG_WAITALL) != 2)
        return -1;
    ssize_t length = reply[0] << 8 | reply[1];
    assert_in_range(length, 12, sizeof reply);
    if (recv(connection, reply, (size_t)length, MSG_WAITALL) != length)
        return -1;
    assert_int_equal(reply[7], 1); /* ANCOUNT */
    return reply[length - 2] << 8 | reply[length - 1];
}

/* All ask in their order; who is closed has no place any more. */
static void holders_ask(void)
{
    for (unsigned i = 0; i < PLACES; i++)
        if (holders[i] >= 0 && ask(holders[i]) < 0) {
            close(holders[i]);
            holders[i] = -1;
        }
}

/* The holders ask again, and somebody else for the first time: is he served? */
static bool is_newcomer_served(void *network)
{
    holders_ask();
    int newcomer = connect_from(*(const unsigned *)network);
    bool served = ask(newcomer) >= 0;
    close(newcomer);
    return served;
}

static unsigned count_served(const int *connections, unsigned count)
{
    unsigned served = 0;

    for (unsigned i = 0; i < count; i++)
        served += ask(connections[i]) >= 0;
    return served;
}

/* While nobody else comes, and no longer. */
static void one_network_may_have_all_places(void **state)
{
    enum { TRIED = PLACES + 20 };
    int tried[TRIED];
    unsigned newcomer = NEWCOMER;

    (void)state;
    for (unsigned i = 0; i < TRIED; i++) {
        tried[i] = connect_from(1);
        ask(tried[i]);
    }
    assert_int_equal(count_served(tried, TRIED), PLACES);
    assert_true(is_newcomer_served(&newcomer));
    assert_int_equal(count_served(tried, TRIED), PLACES - 1);
    for (unsigned i = 0; i < TRIED; i++)
        close(tried[i]);
}

/* However many networks there are, none keeps its place by asking now and then. */
static void a_crowd_of_networks_keeps_nobody_out(void **state)
{
    unsigned newcomer = NEWCOMER;

    (void)state;
    for (unsigned i = 0; i < PLACES; i++)
        holders[i] = connect_from(i);
    assert_true(child_wait(is_newcomer_served, &newcomer, PATIENCE_SECONDS));
    /* He has the place of whoever asked longest ago. */
    for (unsigned i = 0; i < PLACES; i++)
        assert_int_equal(ask(holders[i]) >= 0, i != 0);
}

/* `last`: when the last of them came. */
static bool nobody_is_new(void *last)
{
    enum { YOUNG_MS = 1000, MARGIN_MS = 100 }; /* young_limit of tcp.c */
    const struct timespec *then = last;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000 >
           YOUNG_MS + MARGIN_MS;
}

/* Who has two places gets another only in exchange for one of them. */
static void a_network_takes_none_from_lighter_ones(void **state)
{
    unsigned newcomer = 1;

    (void)state;
    for (unsigned i = 0; i < PLACES; i++)
        holders[i] = connect_from(i < 2 ? newcomer : i);
    /* The first to ask, whose last answer is longest ago, is of another network. */
    int first = holders[0];
    holders[0] = holders[PLACES - 1];
    holders[PLACES - 1] = first;
    /* Who came first would have to go while the others are new. */
    struct timespec last;
    clock_gettime(CLOCK_MONOTONIC, &last);
    assert_true(child_wait(nobody_is_new, &last, PATIENCE_SECONDS));
    assert_true(child_wait(is_newcomer_served, &newcomer, PATIENCE_SECONDS));
    for (unsigned i = 0; i < PLACES; i++)
        assert_int_equal(ask(holders[i]) >= 0, i != 1);
}

/* What is announced is what applies (RFC 7828). */
static void idle_time_is_shorter_when_places_are_few(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PLACES; i++) {
        holders[i] = connect_from(i);
        assert_int_equal(ask(holders[i]), 10 * IDLE_SECONDS / (i + 1 > PLACES / 2 ? 4 : 1));
    }
}

static int start(void **state)
{
    const char *const options[] = {"--tcp-connections=16", "--tcp-idle=600", NULL};

    (void)state;
    for (unsigned i = 0; i < PLACES; i++)
        holders[i] = -1;
    daemon_start_with(&daemon_under_test, "./sorreld", 1, "hash", options, "places.test",
                      write_zone);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PLACES; i++)
        if (holders[i] >= 0)
            close(holders[i]);
    return daemon_stop(&daemon_under_test, false) ? 0 : -1;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_network_may_have_all_places, start, stop),
        cmocka_unit_test_setup_teardown(a_crowd_of_networks_keeps_nobody_out, start, stop),
        cmocka_unit_test_setup_teardown(a_network_takes_none_from_lighter_ones, start, stop),
        cmocka_unit_test_setup_teardown(idle_time_is_shorter_when_places_are_few, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
