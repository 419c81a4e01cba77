/* server/host/channel.c: messages between processes of one program, and what is none. */
#include "server/host/channel.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct pair {
    int ends[2];
};

static int open_pair(void **state)
{
    static struct pair pair;

    *state = &pair;
    return channel_pair(pair.ends);
}

static int close_pair(void **state)
{
    struct pair *pair = *state;

    close(pair->ends[0]);
    close(pair->ends[1]);
    return 0;
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void messages_arrive_as_they_were_sent(void **state)
{
    static const struct {
        uint32_t type;
        bool descriptor;
        bool made;
    } cases[] = {
        {CHANNEL_ADOPT, true, false},    {CHANNEL_FINISH, false, false},
        {CHANNEL_RETIRE, false, false},
        {CHANNEL_SERVING, false, false}, {CHANNEL_ADOPTED, false, false},
        {CHANNEL_BUILT, false, false},   {CHANNEL_BUILT, true, true},
    };
    const struct pair *pair = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct channel_message sent = {.type = cases[i].type}, received;
        int fd;
        if (sent.type == CHANNEL_BUILT)
            sent.built = (struct channel_built){.made = cases[i].made, .compiled = 7};
        else
            sent.table.generation = 0x0123456789abcdef;
        assert_int_equal(channel_send(pair->ends[1], &sent, cases[i].descriptor ? 0 : -1), 0);
        assert_int_equal(channel_receive(pair->ends[0], &received, &fd), CHANNEL_MESSAGE);
        assert_int_equal(received.type, sent.type);
        if (sent.type == CHANNEL_BUILT)
            assert_int_equal(received.built.compiled, 7);
        if (sent.type == CHANNEL_ADOPT || sent.type == CHANNEL_ADOPTED)
            assert_int_equal(received.table.generation, 0x0123456789abcdef);
        assert_int_equal(fd >= 0, cases[i].descriptor);
        if (fd >= 0) {
            assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
            close(fd);
        }
    }
}

static void diagnostics_carry_two_texts(void **state)
{
    const struct pair *pair = *state;
    struct channel_message sent, received;
    char name[CHANNEL_TEXT_MAX * 2];
    int fd;

    channel_set_diagnostic(&sent, 1, 12, "zones/example.zone", "no SOA record");
    assert_int_equal(channel_send(pair->ends[1], &sent, -1), 0);
    assert_int_equal(channel_receive(pair->ends[0], &received, &fd), CHANNEL_MESSAGE);
    assert_int_equal(received.diagnostic.severity, 1);
    assert_int_equal(received.diagnostic.line, 12);
    assert_string_equal(channel_diagnostic_file(&received), "zones/example.zone");
    assert_string_equal(channel_diagnostic_sentence(&received), "no SOA record");

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    channel_set_diagnostic(&sent, 0, 0, name, name);
    assert_int_equal(channel_send(pair->ends[1], &sent, -1), 0);
    assert_int_equal(channel_receive(pair->ends[0], &received, &fd), CHANNEL_MESSAGE);
    assert_true(strlen(channel_diagnostic_file(&received)) > 1000);
    assert_true(strlen(channel_diagnostic_sentence(&received)) > 1000);

    channel_set_diagnostic(&sent, 0, 0, "", "");
    assert_int_equal(channel_send(pair->ends[1], &sent, -1), 0);
    assert_int_equal(channel_receive(pair->ends[0], &received, &fd), CHANNEL_MESSAGE);
    assert_string_equal(channel_diagnostic_sentence(&received), "");
}

/* Sends any octets with any number of descriptors. */
static void send_raw(int channel, const void *octets, size_t length, unsigned descriptors)
{
    union {
        struct cmsghdr align;
        char octets[CMSG_SPACE(8 * sizeof(int))];
    } control;
    memset(&control, 0, sizeof control); /* padding is sent as well */
    struct iovec iov = {(void *)octets, length};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
    const int fds[8] = {0};

    if (descriptors > 0) {
        header.msg_control = &control;
        header.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, descriptors * sizeof(int));
    }
    assert_int_equal(sendmsg(channel, &header, 0), length);
}

static void malformed_messages_are_told_and_leak_nothing(void **state)
{
    enum { HEADER = offsetof(struct channel_message, table) };
    static const struct {
        uint32_t type;
        size_t length;
        unsigned descriptors;
        char text[8]; /* of a diagnostic */
    } cases[] = {
        {CHANNEL_FINISH, HEADER - 1, 0, ""}, /* shorter than any */
        {CHANNEL_FINISH, 1, 0, ""},
        {CHANNEL_FINISH, HEADER + 1, 0, ""}, /* longer than its type */
        {CHANNEL_FINISH, HEADER, 1, ""},     /* a descriptor where none belongs */
        {CHANNEL_ADOPT, HEADER + 8, 0, ""},  /* none where one belongs */
        {CHANNEL_ADOPT, HEADER + 8, 2, ""},  /* one too many */
        {CHANNEL_ADOPT, HEADER + 8, 8, ""},  /* more than are looked for */
        {CHANNEL_ADOPT, HEADER, 1, ""},      /* no generation */
        {CHANNEL_BUILT, HEADER + 40, 1, ""}, /* none made, and yet a descriptor */
        {0, HEADER, 0, ""},                  /* no such types */
        {99, HEADER, 0, ""},
        {CHANNEL_DIAGNOSTIC, HEADER, 0, ""},
        {CHANNEL_DIAGNOSTIC, HEADER + 8, 0, ""},
        {CHANNEL_DIAGNOSTIC, HEADER + 8 + 3, 0, "abc"},               /* no end */
        {CHANNEL_DIAGNOSTIC, HEADER + 8 + 4, 0, "abc"},               /* one text only */
        {CHANNEL_DIAGNOSTIC, HEADER + 8 + 7, 0, "abc\0def"},          /* the second without end */
        {CHANNEL_DIAGNOSTIC, HEADER + 8 + 9, 0, "abc\0def"},          /* more behind it */
        {CHANNEL_ADOPTED, sizeof(struct channel_message) + 8, 0, ""}, /* longer than all */
    };
    const struct pair *pair = *state;
    static uint8_t octets[sizeof(struct channel_message) + 8];
    struct channel_message received;
    unsigned before = open_descriptors();
    int fd;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct channel_message message = {.type = cases[i].type};
        memcpy(octets, &message, sizeof message);
        if (cases[i].type == CHANNEL_DIAGNOSTIC)
            memcpy(octets + HEADER + 8, cases[i].text, 8);
        send_raw(pair->ends[1], octets, cases[i].length, cases[i].descriptors);
        assert_int_equal(channel_receive(pair->ends[0], &received, &fd), CHANNEL_MALFORMED);
        assert_int_equal(fd, -1);
        assert_int_equal(open_descriptors(), before);
    }
}

static void silence_and_end_are_told_apart(void **state)
{
    const struct pair *pair = *state;
    struct channel_message received;
    int fd;

    assert_int_equal(channel_receive(pair->ends[0], &received, &fd), CHANNEL_NOTHING);
    shutdown(pair->ends[1], SHUT_RDWR);
    assert_int_equal(channel_receive(pair->ends[0], &received, &fd), CHANNEL_END);
}

static void the_supervisor_never_waits_for_a_child(void **state)
{
    const struct pair *pair = *state;
    const struct channel_message message = {.type = CHANNEL_FINISH};
    int sent = 0;

    while (sent < 1000000 && channel_send(pair->ends[0], &message, -1) == 0)
        sent++;
    assert_true(sent > 0 && sent < 1000000);
}

static void zones_travel_together(void **state)
{
    static const uint8_t wire[] = {3, 'c', 'o', 'm', 0};
    struct channel_message sent = {.type = CHANNEL_ZONES}, received;
    struct name origin, read;
    unsigned outcome, added = 0, got = 0;
    uint32_t position = 0;
    int ends[2], fd;

    (void)state;
    name_read(&origin, wire, sizeof wire);
    while (channel_add_zone(&sent, &origin, added % 4))
        added++;
    assert_int_equal(added, CHANNEL_TEXT_MAX / (1 + sizeof wire));
    assert_int_equal(channel_pair(ends), 0);
    assert_int_equal(channel_send(ends[1], &sent, -1), 0);
    assert_int_equal(channel_receive(ends[0], &received, &fd), CHANNEL_MESSAGE);
    for (; channel_next_zone(&received, &position, &read, &outcome); got++) {
        assert_int_equal(outcome, got % 4);
        assert_memory_equal(read.octets, wire, sizeof wire);
    }
    assert_int_equal(got, added);
    assert_int_equal(position, received.zones.length);
    /* A name that is cut off, or compressed. */
    received.zones.length = position = 3;
    assert_false(channel_next_zone(&received, &position, &read, &outcome));
    position = 0;
    assert_false(channel_next_zone(&received, &position, &read, &outcome));
    assert_int_equal(position, 0);
    sent.zones.length = CHANNEL_TEXT_MAX + 1;
    assert_true(send(ends[1], &sent, 100, 0) == 100);
    assert_int_equal(channel_receive(ends[0], &received, &fd), CHANNEL_MALFORMED);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_travel_together),
        cmocka_unit_test_setup_teardown(messages_arrive_as_they_were_sent, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(diagnostics_carry_two_texts, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(malformed_messages_are_told_and_leak_nothing, open_pair,
                                        close_pair),
        cmocka_unit_test_setup_teardown(silence_and_end_are_told_apart, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(the_supervisor_never_waits_for_a_child, open_pair,
                                        close_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
