/* server/query/framing.c: messages in a stream, however it is split. */
#include "server/query/framing.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* Lengths of the messages in the stream; their octets are all the same, and tell which they are of.
 */
static const size_t lengths[] = {12, 0, 1, 300, 0, 65535, 40, 65535, 2};
enum { MESSAGES = sizeof lengths / sizeof lengths[0] };

static uint8_t *make_stream(size_t *length)
{
    size_t at = 0;

    *length = 0;
    for (size_t i = 0; i < MESSAGES; i++)
        *length += FRAMING_PREFIX + lengths[i];
    uint8_t *stream = malloc(*length);
    assert_non_null(stream);
    for (size_t i = 0; i < MESSAGES; i++) {
        stream[at] = (uint8_t)(lengths[i] >> 8);
        stream[at + 1] = (uint8_t)lengths[i];
        memset(stream + at + FRAMING_PREFIX, (int)i + 1, lengths[i]);
        at += FRAMING_PREFIX + lengths[i];
    }
    return stream;
}

static void check_message(const uint8_t *message, size_t length, size_t number)
{
    assert_true(number < MESSAGES);
    assert_int_equal(length, lengths[number]);
    for (size_t i = 0; i < length; i++)
        if (message[i] != number + 1)
            fail_msg("octet %zu of message %zu is not its own", i, number);
}

/* Every piece has `piece` octets; at most `hunger` messages are taken between two of them. */
static void read_in_pieces(size_t piece, size_t hunger)
{
    size_t stream_length, at = 0, taken = 0, room, length;
    uint8_t *stream = make_stream(&stream_length);
    uint8_t *octets = malloc(FRAMING_ROOM);
    struct framing framing;
    const uint8_t *message;

    assert_non_null(octets);
    framing_init(&framing, octets);
    while (at < stream_length || framing_has_message(&framing)) {
        uint8_t *to = framing_room(&framing, &room);
        assert_true(room > 0 || framing_has_message(&framing));
        size_t n = stream_length - at < piece ? stream_length - at : piece;
        if (n > room)
            n = room;
        memcpy(to, stream + at, n);
        framing_add(&framing, n);
        at += n;
        for (size_t i = 0; i < hunger && (message = framing_next(&framing, &length)) != NULL; i++)
            check_message(message, length, taken++);
    }
    assert_int_equal(taken, MESSAGES);
    assert_null(framing_next(&framing, &length));
    free(octets);
    free(stream);
}

static void messages_survive_every_split(void **state)
{
    static const size_t pieces[] = {1, 2, 3, 7, 13, 14, 1460, 65535, 65537, 1000000};

    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        read_in_pieces(pieces[i], MESSAGES);
        read_in_pieces(pieces[i], 1);
    }
}

static void a_length_alone_is_no_message(void **state)
{
    uint8_t octets[FRAMING_ROOM] = {0, 2, 7};
    struct framing framing;
    size_t length;

    (void)state;
    framing_init(&framing, octets);
    for (size_t end = 0; end <= 3; end++) {
        framing.end = end;
        assert_false(framing_has_message(&framing));
        assert_null(framing_next(&framing, &length));
    }
    framing.end = 4;
    assert_non_null(framing_next(&framing, &length));
    assert_int_equal(length, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_survive_every_split),
        cmocka_unit_test(a_length_alone_is_no_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
