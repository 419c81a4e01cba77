/* zone/fragment_writer.c: names are compressed against the owner and each other, as
 * message/fragment.h says. */
#include "zone/fragment_writer.h"

#include "message/codes.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

enum { RR_HEAD = WIRE_POINTER_SIZE + WIRE_RR_FIXED_SIZE };

static struct fragment_writer writer;

/* An owner of zone `b.`: `a.b.`, of 5 octets. In a message its RRs begin at octet 12 + 5 + 4. */
static void start(void)
{
    fragment_writer_start(&writer, (const uint8_t *)"\1a\1b", 5, 3);
}

#define ADD(type, rdata)                                                                           \
    fragment_writer_add(&writer, type, 60, (const uint8_t *)(rdata), sizeof(rdata) - 1)
#define WITHIN(m) (uint16_t)(0xC000 + 12 + 5 + 4 + (m))

static void check_rdata(size_t at, const char *octets, size_t length)
{
    assert_int_equal(wire_read_u16(writer.octets + at), FRAGMENT_OWNER_POINTER);
    assert_int_equal(wire_read_u16(writer.octets + at + RR_HEAD - 2), length);
    assert_memory_equal(writer.octets + at + RR_HEAD, octets, length);
}

static void names_point_to_the_owner(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t length;
        const char *rdata;
        size_t rdata_length;
        uint16_t target;
    } cases[] = {
        {"\1A\1B", 5, "\300\014", 2, 0xC00C},
        {"\1b", 3, "\300\016", 2, 0xC00E},
        {"\1x\1a\1b", 7, "\1x\300\014", 4, WITHIN(RR_HEAD)},
        {"\1x\1b", 5, "\1x\300\016", 4, WITHIN(RR_HEAD)},
        {"\1a\1c", 5, "\1a\1c", 5, WITHIN(RR_HEAD)},
        {"", 1, "", 1, 0}, /* the root is shorter than a pointer */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start();
        fragment_writer_add(&writer, TYPE_NS, 60, (const uint8_t *)cases[i].name, cases[i].length);
        assert_int_equal(writer.length, RR_HEAD + cases[i].rdata_length);
        check_rdata(0, cases[i].rdata, cases[i].rdata_length);
        assert_int_equal(fragment_writer_last_name(&writer, 0), cases[i].target);
    }
}

static void nothing_points_above_the_apex(void **state)
{
    (void)state;

    fragment_writer_start(&writer, (const uint8_t *)"\1a\1b\1c", 7, 5);
    ADD(TYPE_NS, "\1x\1c\0");
    check_rdata(0, "\1x\1c\0", 5);
}

static void nothing_points_to_a_wildcard(void **state)
{
    (void)state;

    fragment_writer_start(&writer, (const uint8_t *)"\1*\1b", 5, 3);
    ADD(TYPE_CNAME, "\1*\1b\0");
    check_rdata(0, "\1*\300\016", 4);
}

static void names_point_to_each_other(void **state)
{
    (void)state;

    start();
    ADD(TYPE_MX, "\0\1\1x\1y\0");    /* at 0: x.y. at RR_HEAD + 2 */
    ADD(TYPE_MX, "\0\2\1z\1X\1Y\0"); /* at 19 */
    ADD(TYPE_MX, "\0\3\1Y\0");       /* at 37 */
    assert_int_equal(writer.count, 3);
    check_rdata(0, "\0\1\1x\1y\0", 7);
    check_rdata(19, "\0\2\1z\300\043", 6);
    check_rdata(37, "\0\3\300\045", 4);
    assert_int_equal(WITHIN(RR_HEAD + 2), 0xC000 + 043);
    assert_int_equal(fragment_writer_last_name(&writer, 2), WITHIN(RR_HEAD + 4));
    static const uint16_t pointers[] = {0, 19, 19 + RR_HEAD + 4, 37, 37 + RR_HEAD + 2};
    assert_int_equal(writer.pointer_count, 5);
    assert_memory_equal(writer.pointers, pointers, sizeof pointers);
}

static void other_types_are_left_as_they_are(void **state)
{
    (void)state;

    start();
    ADD(TYPE_SRV, "\0\1\0\2\0\3\1a\1b\0");
    check_rdata(0, "\0\1\0\2\0\3\1a\1b\0", 11);
    assert_int_equal(writer.pointer_count, 1);
    assert_int_equal(fragment_writer_last_name(&writer, 6), WITHIN(RR_HEAD + 6));
}

/* A message of 65,535 octets holds 65,535 - 12 - 5 - 4 of RRs. */
static void an_rrset_fits_into_a_message_or_not_at_all(void **state)
{
    (void)state;
    enum { ROOM = WIRE_MESSAGE_MAX - 12 - 5 - 4 };
    static uint8_t rdata[ROOM];

    start();
    fragment_writer_add(&writer, 65280, 60, rdata, ROOM - RR_HEAD);
    assert_false(writer.oversize);
    start();
    fragment_writer_add(&writer, 65280, 60, rdata, ROOM - RR_HEAD + 1);
    assert_true(writer.oversize);
    fragment_writer_start(&writer, (const uint8_t *)"\1*\1b", 5, 3);
    fragment_writer_add(&writer, 65280, 60, rdata, ROOM - RR_HEAD);
    assert_true(writer.oversize); /* QNAME may be longer than `*.b.` */
}

static void what_no_pointer_can_reach_is_not_pointed_to(void **state)
{
    (void)state;
    uint8_t name[] = "\4aaaa\1y";
    unsigned shortened = 0;

    start();
    while (writer.length <= FRAGMENT_TARGET_MAX + 100) {
        for (unsigned i = 1; i <= 4 && ++name[i] > 'z'; i++)
            name[i] = 'a';
        fragment_writer_add(&writer, TYPE_NS, 60, name, sizeof name);
        shortened += writer.length - writer.last_rr < RR_HEAD + sizeof name;
    }
    assert_int_equal(fragment_writer_last_name(&writer, 0), 0);
    assert_int_equal(shortened, writer.count - 1u); /* all but the first end in a pointer to y. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_point_to_the_owner),
        cmocka_unit_test(nothing_points_above_the_apex),
        cmocka_unit_test(nothing_points_to_a_wildcard),
        cmocka_unit_test(names_point_to_each_other),
        cmocka_unit_test(other_types_are_left_as_they_are),
        cmocka_unit_test(an_rrset_fits_into_a_message_or_not_at_all),
        cmocka_unit_test(what_no_pointer_can_reach_is_not_pointed_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
