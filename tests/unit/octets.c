/* message/octets.h: every length, with what stands before and behind left alone. */
#include "message/octets.h"
#include "unit.h"

enum { LENGTH_MAX = 70, ROOM = LENGTH_MAX + 2 };

static void fill(uint8_t *octets, uint8_t first)
{
    for (unsigned i = 0; i < ROOM; i++)
        octets[i] = (uint8_t)(first + i);
}

static void as_many_as_asked_for_are_copied(void **state)
{
    (void)state;
    for (size_t length = 0; length <= LENGTH_MAX; length++) {
        uint8_t from[ROOM], to[ROOM], expected[ROOM];
        fill(from, 1);
        fill(to, 101);
        fill(expected, 101);
        for (size_t i = 1; i <= length; i++)
            expected[i] = from[i];
        octets_copy(to + 1, from + 1, length);
        assert_memory_equal(to, expected, sizeof to);
    }
}

static void each_of_them_is_compared(void **state)
{
    (void)state;
    for (size_t length = 0; length <= LENGTH_MAX; length++) {
        uint8_t a[ROOM], b[ROOM];
        fill(a, 1);
        fill(b, 1);
        a[0] = a[length + 1] = 0; /* and no others */
        assert_true(octets_are_equal(a + 1, b + 1, length));
        for (size_t i = 1; i <= length; i++) {
            b[i] ^= 0x20;
            assert_false(octets_are_equal(a + 1, b + 1, length));
            b[i] ^= 0x20;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_asked_for_are_copied),
        cmocka_unit_test(each_of_them_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
