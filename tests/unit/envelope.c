/* server/control/envelope.c: messages in any pieces, garbage, descriptors. */
#include "server/control/envelope.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIMIT = 1000 };

struct pair {
    int near; /* does not block */
    int far;
};

static struct pair open_pair(void)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    return (struct pair){ends[0], ends[1]};
}

static void close_pair(struct pair pair)
{
    close(pair.near);
    close(pair.far);
}

static size_t compose(uint8_t *octets, const void *payload, size_t length)
{
    struct protocol_header header = {PROTOCOL_MAGIC, PROTOCOL_VERSION, PROTOCOL_RELOAD,
                                     (uint32_t)length};

    memcpy(octets, &header, sizeof header);
    memcpy(octets + sizeof header, payload, length);
    return sizeof header + length;
}

static void assert_reload_is_read(struct envelope_reader *reader, int socket, const char *payload,
                                  size_t length)
{
    assert_int_equal(envelope_read(reader, socket), ENVELOPE_WHOLE);
    assert_int_equal(reader->header.type, PROTOCOL_RELOAD);
    assert_int_equal(reader->header.version, PROTOCOL_VERSION);
    assert_int_equal(reader->header.length, length);
    assert_memory_equal(reader->payload, payload, length);
    envelope_reader_clear(reader);
}

static void a_message_may_be_split_anywhere(void **state)
{
    (void)state;
    static const char payload[] = "example.com\0example.net";
    uint8_t octets[64];
    size_t length = compose(octets, payload, sizeof payload);
    struct pair pair = open_pair();
    struct envelope_reader reader;

    envelope_reader_start(&reader, LIMIT, false);
    for (size_t cut = 0; cut < length; cut++) {
        assert_int_equal(write(pair.far, octets, cut), cut);
        assert_int_equal(envelope_read(&reader, pair.near), ENVELOPE_PARTIAL);
        assert_int_equal(write(pair.far, octets + cut, length - cut), length - cut);
        assert_reload_is_read(&reader, pair.near, payload, sizeof payload);
    }
    for (size_t i = 0; i < length; i++) {
        assert_int_equal(envelope_read(&reader, pair.near), ENVELOPE_PARTIAL);
        assert_int_equal(write(pair.far, octets + i, 1), 1);
    }
    assert_reload_is_read(&reader, pair.near, payload, sizeof payload);
    close_pair(pair);
}

static void reading_stops_at_the_end_of_a_message(void **state)
{
    (void)state;
    uint8_t octets[128];
    size_t length = compose(octets, "a", 2);
    struct pair pair = open_pair();
    struct envelope_reader reader;

    length += compose(octets + length, "", 0);
    length += compose(octets + length, "b", 2);
    envelope_reader_start(&reader, LIMIT, false);
    assert_int_equal(write(pair.far, octets, length), length);
    assert_reload_is_read(&reader, pair.near, "a", 2);
    assert_reload_is_read(&reader, pair.near, "", 0);
    assert_reload_is_read(&reader, pair.near, "b", 2);
    close(pair.far);
    assert_int_equal(envelope_read(&reader, pair.near), ENVELOPE_END);
    close(pair.near);
}

static void what_is_no_message_is_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        size_t length;
    } cases[] = {
        {"GET / HTTP/1.0\r\n\r\n", 18},
        {"\0\0\0\0\0\0\0\0\0\0\0\0", 12},
        {"sorC\1\0\20\0\0", 9},            /* ends in the header */
        {"sorC\1\0\20\0\5\0\0\0abcd", 16}, /* ends in the payload */
        {"sorC\1\0\20\0\351\3\0\0", 12},   /* LIMIT + 1 */
        {"sorC\1\0\20\0\377\377\377\377", 12},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair pair = open_pair();
        struct envelope_reader reader;
        envelope_reader_start(&reader, LIMIT, false);
        assert_int_equal(write(pair.far, cases[i].octets, cases[i].length), cases[i].length);
        close(pair.far);
        assert_int_equal(envelope_read(&reader, pair.near), ENVELOPE_MALFORMED);
        envelope_reader_clear(&reader);
        close(pair.near);
    }
}

static void a_payload_as_long_as_the_limit_is_read(void **state)
{
    (void)state;
    char payload[LIMIT];
    uint8_t octets[LIMIT + 16];
    struct pair pair = open_pair();
    struct envelope_reader reader;

    memset(payload, 'x', sizeof payload);
    size_t length = compose(octets, payload, sizeof payload);
    envelope_reader_start(&reader, LIMIT, false);
    assert_int_equal(write(pair.far, octets, length), length);
    assert_reload_is_read(&reader, pair.near, payload, sizeof payload);
    close_pair(pair);
}

static void writing_goes_on_where_the_socket_was_full(void **state)
{
    (void)state;
    enum { LENGTH = 3 << 20 };
    char *payload = malloc(LENGTH);
    struct pair pair = open_pair();
    struct envelope_writer writer;
    struct envelope_reader reader;
    unsigned interruptions = 0;
    enum envelope_outcome written, read = ENVELOPE_PARTIAL;

    for (size_t i = 0; i < LENGTH; i++)
        payload[i] = (char)(i * 2654435761u >> 24);
    assert_int_equal(fcntl(pair.far, F_SETFL, O_NONBLOCK), 0);
    envelope_writer_start(&writer, PROTOCOL_DONE, payload, LENGTH);
    envelope_reader_start(&reader, LENGTH, false);
    do {
        written = envelope_write(&writer, pair.near);
        interruptions += written == ENVELOPE_PARTIAL;
        assert_true(written == ENVELOPE_PARTIAL || written == ENVELOPE_WHOLE);
        read = envelope_read(&reader, pair.far);
    } while (read == ENVELOPE_PARTIAL);
    assert_int_equal(written, ENVELOPE_WHOLE);
    assert_int_equal(read, ENVELOPE_WHOLE);
    assert_true(interruptions > 0);
    assert_memory_equal(reader.payload, payload, LENGTH);
    envelope_reader_clear(&reader);
    free(payload);
    close_pair(pair);
}

static void a_peer_that_is_gone_is_no_signal(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    struct envelope_writer writer;

    close(pair.far);
    envelope_writer_start(&writer, PROTOCOL_DONE, "{}", 2);
    assert_int_equal(envelope_write(&writer, pair.near), ENVELOPE_BROKEN);
    assert_int_equal(errno, EPIPE);
    close(pair.near);
}

static void strings_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *payload;
        size_t length;
        size_t count;
        const char *strings[3];
    } cases[] = {
        {"", 0, 0, {NULL}},
        {"4", 2, 1, {"4"}},
        {"", 1, 1, {""}},
        {"a\0bc", 5, 2, {"a", "bc"}},
        {"\0\0x", 4, 3, {"", "", "x"}},
    };
    struct envelope_reader reader;
    size_t count;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        reader.payload = (uint8_t *)cases[i].payload;
        reader.header.length = (uint32_t)cases[i].length;
        char **strings = envelope_strings(&reader, &count);
        assert_non_null(strings);
        assert_int_equal(count, cases[i].count);
        for (size_t j = 0; j < count; j++)
            assert_string_equal(strings[j], cases[i].strings[j]);
        assert_null(strings[count]);
        free(strings);
    }
    reader.payload = (uint8_t *)"a\0b";
    reader.header.length = 3;
    assert_null(envelope_strings(&reader, &count));
}

/* --- descriptors -------------------------------------------------------------------- */

static ino_t inode_of(int descriptor)
{
    struct stat status;

    assert_int_equal(fstat(descriptor, &status), 0);
    return status.st_ino;
}

static bool is_open(int descriptor)
{
    return fcntl(descriptor, F_GETFD) >= 0;
}

static void descriptors_travel_in_order(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, ENVELOPE_DESCRIPTORS_MAX};
    int pipes[2];
    int descriptors[ENVELOPE_DESCRIPTORS_MAX];
    struct pair pair = open_pair();

    assert_int_equal(pipe(pipes), 0);
    int other = open("/dev/null", O_RDONLY);
    for (size_t i = 0; i < ENVELOPE_DESCRIPTORS_MAX; i++)
        descriptors[i] = i % 3 == 0 ? other : pipes[0];
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct envelope_writer writer;
        struct envelope_reader reader;
        envelope_writer_start(&writer, PROTOCOL_SOCKETS, "payload", 8);
        writer.descriptors = descriptors;
        writer.descriptor_count = counts[i];
        assert_int_equal(envelope_write(&writer, pair.near), ENVELOPE_WHOLE);
        envelope_reader_start(&reader, LIMIT, true);
        assert_int_equal(envelope_read(&reader, pair.far), ENVELOPE_WHOLE);
        assert_int_equal(reader.descriptor_count, counts[i]);
        for (size_t j = 0; j < counts[i]; j++) {
            assert_int_equal(inode_of(reader.descriptors[j]), inode_of(descriptors[j]));
            assert_int_equal(fcntl(reader.descriptors[j], F_GETFD), FD_CLOEXEC);
        }
        int taken = reader.descriptors[0];
        int left = reader.descriptors[counts[i] - 1];
        reader.descriptors[0] = -1;
        envelope_reader_clear(&reader);
        assert_true(is_open(taken));
        assert_true(left == taken || !is_open(left));
        close(taken);
    }
    close(other);
    close(pipes[0]);
    close(pipes[1]);
    close_pair(pair);
}

static void descriptors_nobody_asked_for_are_malformed(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    struct envelope_writer writer;
    struct envelope_reader reader;
    int before = dup(STDERR_FILENO);

    close(before);
    envelope_writer_start(&writer, PROTOCOL_STATUS, "", 0);
    writer.descriptors = &pair.near;
    writer.descriptor_count = 1;
    assert_int_equal(envelope_write(&writer, pair.near), ENVELOPE_WHOLE);
    envelope_reader_start(&reader, LIMIT, false);
    assert_int_equal(envelope_read(&reader, pair.far), ENVELOPE_MALFORMED);
    int after = dup(STDERR_FILENO);
    assert_int_equal(after, before); /* none was left open */
    close(after);
    close_pair(pair);
}

static void send_one_octet_with_descriptors(int socket, char octet, const int *descriptors,
                                            size_t count)
{
    union {
        struct cmsghdr header;
        char octets[CMSG_SPACE(ENVELOPE_DESCRIPTORS_MAX * sizeof(int))];
    } rights = {0};
    struct iovec piece = {&octet, 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = rights.octets,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);

    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(part), descriptors, count * sizeof(int));
    assert_int_equal(sendmsg(socket, &message, 0), 1);
}

static void more_descriptors_than_a_message_may_have_are_malformed(void **state)
{
    (void)state;
    int descriptors[200];
    struct pair pair = open_pair();
    struct envelope_reader reader;
    int before = dup(STDERR_FILENO);

    close(before);
    for (size_t i = 0; i < 200; i++)
        descriptors[i] = pair.near;
    send_one_octet_with_descriptors(pair.near, 's', descriptors, 200);
    send_one_octet_with_descriptors(pair.near, 'o', descriptors, 200);
    envelope_reader_start(&reader, LIMIT, true);
    assert_int_equal(envelope_read(&reader, pair.far), ENVELOPE_MALFORMED);
    envelope_reader_clear(&reader);
    int after = dup(STDERR_FILENO);
    assert_int_equal(after, before); /* none was left open */
    close(after);
    close_pair(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_may_be_split_anywhere),
        cmocka_unit_test(reading_stops_at_the_end_of_a_message),
        cmocka_unit_test(what_is_no_message_is_malformed),
        cmocka_unit_test(a_payload_as_long_as_the_limit_is_read),
        cmocka_unit_test(writing_goes_on_where_the_socket_was_full),
        cmocka_unit_test(a_peer_that_is_gone_is_no_signal),
        cmocka_unit_test(strings_are_told_apart),
        cmocka_unit_test(descriptors_travel_in_order),
        cmocka_unit_test(descriptors_nobody_asked_for_are_malformed),
        cmocka_unit_test(more_descriptors_than_a_message_may_have_are_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
