/* message/name.c: names of every length, case and order. */
#include "message/name.h"
#include "unit.h"

#include <string.h>

static struct name read_name(const char *wire, size_t length)
{
    struct name name;
    assert_int_equal(name_read(&name, (const uint8_t *)wire, length), length);
    return name;
}

#define NAME(literal) read_name(literal, sizeof literal)

static void malformed_names_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *wire;
        size_t available;
    } cases[] = {
        {"", 0},
        {"\3www", 4},          /* no root */
        {"\3ww", 3},           /* cut in a label */
        {"\300\014", 2},       /* pointer */
        {"\100xx", 3},         /* label type 01 */
    };
    struct name name;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(name_read(&name, (const uint8_t *)cases[i].wire, cases[i].available), 0);
        assert_int_equal(name_measure((const uint8_t *)cases[i].wire, cases[i].available), 0);
    }
}

static void the_longest_name_is_255_octets(void **state)
{
    (void)state;
    uint8_t wire[260];
    struct name name;

    memset(wire, 'a', sizeof wire);
    for (unsigned at = 0; at < 192; at += 64)
        wire[at] = 63;
    wire[192] = 61;
    wire[254] = 0;
    assert_int_equal(name_read(&name, wire, sizeof wire), 255);
    assert_int_equal(name.labels, 4);
    wire[192] = 62;
    wire[254] = 'a';
    wire[255] = 0;
    assert_int_equal(name_read(&name, wire, sizeof wire), 0);
    assert_int_equal(name_measure(wire, sizeof wire), 0);
}

static void only_ascii_letters_are_lowered(void **state)
{
    (void)state;
    struct name name = NAME("\6AZ@[\300\000");
    assert_memory_equal(name.octets, "\6az@[\300\000", 8);
}

static void canonical_order_is_by_labels_from_the_right(void **state)
{
    (void)state;
    /* RFC 4034 §6.1, and the NUL that must not be taken for a separator */
    const struct name ordered[] = {
        NAME("\7example"),         NAME("\1a\7example"),        NAME("\10yljkjljk\1a\7example"),
        NAME("\1Z\1a\7example"),   NAME("\4zABC\1a\7EXAMPLE"),  NAME("\2a\000\7example"),
        NAME("\1b\2a\000\7example"), NAME("\1z\7example"),      NAME("\1\001\1z\7example"),
        NAME("\1*\1z\7example"),   NAME("\1\200\1z\7example"),
    };
    size_t count = sizeof ordered / sizeof ordered[0];
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            int order = name_compare(&ordered[i], &ordered[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
}

static void being_within_needs_whole_labels(void **state)
{
    (void)state;
    struct name apex = NAME("\7example");
    struct name below = NAME("\3www\7EXAMPLE");
    struct name beside = NAME("\12notexample");
    struct name root = NAME("");

    assert_true(name_is_within(&below, &apex));
    assert_true(name_is_within(&apex, &apex));
    assert_true(name_is_within(&beside, &root));
    assert_false(name_is_within(&beside, &apex));
    assert_false(name_is_within(&apex, &below));
}

static void text_escapes_what_a_reader_could_mistake(void **state)
{
    (void)state;
    char text[NAME_TEXT_MAX];
    struct name name = NAME("\4a.b\\\2\000 \7example");
    struct name root = NAME("");

    assert_string_equal(name_to_text(&name, text), "a\\.b\\\\.\\000\\032.example.");
    assert_string_equal(name_to_text(&root, text), ".");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_names_are_refused),
        cmocka_unit_test(the_longest_name_is_255_octets),
        cmocka_unit_test(only_ascii_letters_are_lowered),
        cmocka_unit_test(canonical_order_is_by_labels_from_the_right),
        cmocka_unit_test(being_within_needs_whole_labels),
        cmocka_unit_test(text_escapes_what_a_reader_could_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
