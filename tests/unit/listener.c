/* host/listener.c: sockets that leave their group, and those that are bound after them; on
 * loopback.
 */
#include "server/host/listener.h"
#include "../loss/child.h"
#include "unit.h"

#include <arpa/inet.h>
#include <unistd.h>

enum { CLIENTS = 64 };

static void set_port(union address *address, in_port_t port)
{
    if (address->any.sa_family == AF_INET)
        address->v4.sin_port = htons(port);
    else
        address->v6.sin6_port = htons(port);
}

/* A port that is free at 127.0.0.1 need not be so at this address. */
static void open_first(struct listener *listener, struct listener_sockets *sockets)
{
    enum { ATTEMPTS = 20 };
    char error[LISTENER_ERROR_MAX];

    if (listener_try(&listener->address) != 0)
        skip(); /* this machine has no IPv6 */
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        set_port(&listener->address, child_free_port());
        *sockets = (struct listener_sockets){-1, -1};
        if (listener_open(listener, true, sockets, error) == LISTENER_BOUND)
            return;
    }
    fail_msg("%s", error);
}

static void open_next(const struct listener *listener, struct listener_sockets *sockets)
{
    char error[LISTENER_ERROR_MAX];

    *sockets = (struct listener_sockets){-1, -1};
    if (listener_open(listener, false, sockets, error) != LISTENER_BOUND)
        fail_msg("%s", error);
}

/* A datagram from each of many ports. */
static void send_all(const union address *to)
{
    for (int i = 0; i < CLIENTS; i++) {
        int fd = socket(to->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(sendto(fd, "?", 1, 0, &to->any, address_length(to)), 1);
        close(fd);
    }
}

/* How many datagrams wait in a socket; reads them. Loopback has delivered what was sent. */
static int count_waiting(int udp)
{
    int count = 0;
    char octet;

    while (recv(udp, &octet, 1, MSG_DONTWAIT) == 1)
        count++;
    return count;
}

static void try_succession(const char *text)
{
    struct listener listener = {0};
    struct listener_sockets first, second, third;
    char error[ADDRESS_ERROR_MAX];

    assert_true(address_parse(&listener.address, text, error));
    open_first(&listener, &first);
    open_next(&listener, &second);
    send_all(&listener.address);
    int early = count_waiting(first.udp);
    assert_in_range(early, 1, CLIENTS - 1);

    /* What the second has got it keeps. */
    assert_false(listener_is_fenced(second.udp));
    listener_fence(&listener, &second);
    assert_true(listener_is_fenced(second.udp));
    send_all(&listener.address);
    assert_int_equal(count_waiting(first.udp), CLIENTS);
    assert_int_equal(count_waiting(second.udp), CLIENTS - early);

    /* Somebody keeps a copy of it, while a third takes its place. */
    listener_leave_group(second.udp);
    open_next(&listener, &third);
    send_all(&listener.address);
    int old = count_waiting(first.udp);
    assert_in_range(old, 1, CLIENTS - 1);
    assert_int_equal(count_waiting(second.udp), 0);
    assert_int_equal(count_waiting(third.udp), CLIENTS - old);
    listener_close(&second);
    send_all(&listener.address);
    assert_int_equal(count_waiting(first.udp) + count_waiting(third.udp), CLIENTS);
    listener_close(&first);
    listener_close(&third);
}

static void a_successor_joins_those_that_stay_v4(void **state)
{
    (void)state;
    try_succession("127.0.0.1");
}

static void a_successor_joins_those_that_stay_v6(void **state)
{
    (void)state;
    try_succession("::1");
}

static void a_successor_joins_those_that_stay_any(void **state)
{
    (void)state;
    try_succession("0.0.0.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_successor_joins_those_that_stay_v4),
        cmocka_unit_test(a_successor_joins_those_that_stay_v6),
        cmocka_unit_test(a_successor_joins_those_that_stay_any),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
