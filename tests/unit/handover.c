/* server/control/handover.c: sockets of one process arrive in another, all or none. */
#include "server/control/handover.h"

#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

struct pair {
    int old; /* does not block */
    int new; /* blocks, but not for long */
};

static struct pair open_pair(void)
{
    const struct timeval limit = {.tv_usec = 50000};
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    return (struct pair){ends[0], ends[1]};
}

static void close_pair(struct pair pair)
{
    close(pair.old);
    close(pair.new);
}

static ino_t inode_of(int descriptor)
{
    struct stat status;

    assert_int_equal(fstat(descriptor, &status), 0);
    return status.st_ino;
}

/* The lowest descriptor that is free: it shows whether any was left open. */
static int lowest_free(void)
{
    int descriptor = dup(STDERR_FILENO);

    close(descriptor);
    return descriptor;
}

static void close_all(struct handover *handover)
{
    for (size_t i = 0; i < handover->count; i++)
        close(handover->descriptors[i]);
    handover_free(handover);
}

/* `count` sockets: slot i has one for UDP over IPv4 and one for TCP over IPv6; the last is the
 * control's. */
static void fill(struct handover *handover, size_t count)
{
    union address v4 = {.v4 = {.sin_family = AF_INET, .sin_port = htons(53)}};
    union address v6 = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(5300)}};

    *handover = (struct handover){0};
    v4.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.v6.sin6_addr = in6addr_loopback;
    for (size_t i = 0; i < count; i++) {
        int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
        bool last = i + 1 == count;
        assert_true(descriptor >= 0);
        if (last)
            assert_true(handover_add(handover, HANDOVER_CONTROL, 0, NULL, descriptor));
        else if (i % 2 == 0)
            assert_true(handover_add(handover, HANDOVER_UDP, (unsigned)i / 2, &v4, descriptor));
        else
            assert_true(handover_add(handover, HANDOVER_TCP, (unsigned)i / 2, &v6, descriptor));
    }
}

static void every_socket_arrives_in_its_place(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 3, 253, 254, 506, 800};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct pair pair = open_pair();
        struct handover sent, received;
        struct handover_sender sender;
        char error[HANDOVER_ERROR_MAX] = "";
        fill(&sent, counts[i]);
        handover_send_start(&sender, &sent);
        assert_int_equal(handover_send(&sender, pair.old), ENVELOPE_WHOLE);
        assert_true(handover_receive(&received, pair.new, error));
        assert_int_equal(received.count, counts[i]);
        for (size_t j = 0; j < counts[i]; j++) {
            assert_memory_equal(&received.records[j], &sent.records[j], sizeof sent.records[j]);
            assert_int_not_equal(received.descriptors[j], sent.descriptors[j]);
            assert_int_equal(inode_of(received.descriptors[j]), inode_of(sent.descriptors[j]));
            assert_int_equal(fcntl(received.descriptors[j], F_GETFD), FD_CLOEXEC);
        }
        close_all(&sent);
        close_all(&received);
        close_pair(pair);
    }
}

static void sending_goes_on_where_the_connection_was_full(void **state)
{
    (void)state;
    const int small = 4096;
    struct pair pair = open_pair();
    struct handover sent, received;
    struct handover_sender sender;
    char error[HANDOVER_ERROR_MAX] = "";

    assert_int_equal(setsockopt(pair.old, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    fill(&sent, 800);
    handover_send_start(&sender, &sent);
    /* Nobody reads yet, so it must stop on the way. */
    enum envelope_outcome outcome = handover_send(&sender, pair.old);
    assert_int_equal(outcome, ENVELOPE_PARTIAL);
    pid_t reader = fork();
    if (reader == 0) {
        close(pair.old);
        _exit(handover_receive(&received, pair.new, error) && received.count == 800 ? 0 : 1);
    }
    while (outcome == ENVELOPE_PARTIAL) {
        fd_set writable;
        FD_ZERO(&writable);
        FD_SET(pair.old, &writable);
        assert_int_equal(select(pair.old + 1, NULL, &writable, NULL, NULL), 1);
        outcome = handover_send(&sender, pair.old);
    }
    assert_int_equal(outcome, ENVELOPE_WHOLE);
    int status;
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
    close_all(&sent);
    close_pair(pair);
}

/* --- what is not to be had ------------------------------------------------------------ */

static void send_octets(int connection, enum protocol_type type, const void *payload, size_t length,
                        const int *descriptors, size_t count)
{
    struct envelope_writer writer;

    envelope_writer_start(&writer, type, payload, length);
    writer.descriptors = descriptors;
    writer.descriptor_count = count;
    assert_int_equal(envelope_write(&writer, connection), ENVELOPE_WHOLE);
}

static void a_handover_that_ends_early_leaves_nothing(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    struct handover sent, received;
    char error[HANDOVER_ERROR_MAX] = "";

    fill(&sent, 4);
    int before = lowest_free();
    send_octets(pair.old, PROTOCOL_SOCKETS, sent.records, 4 * sizeof sent.records[0],
                sent.descriptors, 4);
    assert_false(handover_receive(&received, pair.new, error)); /* no end comes */
    assert_string_equal(error, "the running daemon does not answer");
    assert_int_equal(lowest_free(), before);
    send_octets(pair.old, PROTOCOL_SOCKETS, sent.records, 4 * sizeof sent.records[0],
                sent.descriptors, 4);
    close(pair.old);
    assert_false(handover_receive(&received, pair.new, error));
    assert_string_equal(error, "the running daemon has ended the takeover");
    close(pair.new);
    close_all(&sent);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    struct handover_record records[2] = {
        {.kind = HANDOVER_UDP, .address.v4.sin_family = AF_INET},
        {.kind = HANDOVER_UDP, .address.v4.sin_family = AF_INET},
    };
    const struct handover_record good = records[0];
    static const struct {
        uint32_t kind;
        uint32_t slot;
        sa_family_t family;
        size_t length;
        size_t descriptors;
        enum protocol_type type;
    } cases[] = {
        {HANDOVER_UDP, 0, AF_INET, 2 * sizeof records[0], 1, PROTOCOL_SOCKETS},
        {HANDOVER_UDP, 0, AF_INET, sizeof records[0], 2, PROTOCOL_SOCKETS},
        {HANDOVER_UDP, 0, AF_INET, 2 * sizeof records[0] - 1, 2, PROTOCOL_SOCKETS},
        {HANDOVER_UDP, 0, AF_UNIX, 2 * sizeof records[0], 2, PROTOCOL_SOCKETS},
        {HANDOVER_UDP, 1 << 20, AF_INET, 2 * sizeof records[0], 2, PROTOCOL_SOCKETS},
        {0, 0, AF_INET, 2 * sizeof records[0], 2, PROTOCOL_SOCKETS},
        {99, 0, AF_INET, 2 * sizeof records[0], 2, PROTOCOL_SOCKETS},
        {HANDOVER_UDP, 0, AF_INET, 2 * sizeof records[0], 2, PROTOCOL_READY},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair pair = open_pair();
        const int descriptors[] = {pair.old, pair.new};
        struct handover received;
        char error[HANDOVER_ERROR_MAX] = "";
        int before = lowest_free();
        records[1] = good;
        records[1].kind = cases[i].kind;
        records[1].slot = cases[i].slot;
        records[1].address.v4.sin_family = cases[i].family;
        send_octets(pair.old, cases[i].type, records, cases[i].length, descriptors,
                    cases[i].descriptors);
        assert_false(handover_receive(&received, pair.new, error));
        assert_string_equal(error, "the running daemon hands over what cannot be used");
        assert_int_equal(received.count, 0);
        assert_int_equal(lowest_free(), before);
        close_pair(pair);
    }
}

static void a_refusal_is_passed_on(void **state)
{
    (void)state;
    static const char refusal[] = "{\"error\":\"the daemon is stopping\"}";
    struct pair pair = open_pair();
    struct handover received;
    char error[HANDOVER_ERROR_MAX] = "";

    send_octets(pair.old, PROTOCOL_FAILED, refusal, strlen(refusal), NULL, 0);
    assert_false(handover_receive(&received, pair.new, error));
    assert_string_equal(error, "the running daemon hands over nothing: the daemon is stopping");
    close_pair(pair);
}

static void each_is_taken_once_and_from_its_place(void **state)
{
    struct handover handover = {0};
    union address address = {.v4 = {.sin_family = AF_INET, .sin_port = htons(53)}};
    union address other = {.v4 = {.sin_family = AF_INET, .sin_port = htons(54)}};
    int udp = dup(STDERR_FILENO), tcp = dup(STDERR_FILENO), table = dup(STDERR_FILENO);
    int before = lowest_free();

    (void)state;
    assert_int_equal(handover_slots(&handover), 0);
    assert_true(handover_add(&handover, HANDOVER_UDP, 2, &address, udp));
    assert_true(handover_add(&handover, HANDOVER_TCP, 0, &address, tcp));
    assert_true(handover_add(&handover, HANDOVER_TABLE, 7, NULL, table));
    assert_int_equal(handover_slots(&handover), 3);
    assert_int_equal(handover_take(&handover, HANDOVER_UDP, 0, &address), -1);
    assert_int_equal(handover_take(&handover, HANDOVER_UDP, 2, &other), -1);
    assert_int_equal(handover_take(&handover, HANDOVER_CONTROL, 0, NULL), -1);
    assert_int_equal(handover_take(&handover, HANDOVER_UDP, 2, &address), udp);
    assert_int_equal(handover_take(&handover, HANDOVER_UDP, 2, &address), -1);
    assert_int_equal(handover_take(&handover, HANDOVER_TABLE, 7, NULL), table);
    assert_true(lowest_free() == before);
    handover_discard(&handover); /* closes what nobody took, and nothing else */
    assert_int_equal(fcntl(tcp, F_GETFD), -1);
    assert_int_equal(close(udp), 0);
    assert_int_equal(close(table), 0);
}

int main(void)
{
    struct rlimit limit;

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_taken_once_and_from_its_place),
        cmocka_unit_test(every_socket_arrives_in_its_place),
        cmocka_unit_test(sending_goes_on_where_the_connection_was_full),
        cmocka_unit_test(a_handover_that_ends_early_leaves_nothing),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(a_refusal_is_passed_on),
    };
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
