/* zone/pace.c: who waits for long is told how far it is, and not too often. */
#include "zone/pace.h"

#include "unit.h"

#include <string.h>

static void lines_come_when_they_should(void **state)
{
    static const struct {
        double now; /* seconds since the start */
        struct tally_count count;
        const char *text; /* NULL: nothing is said */
    } steps[] = {
        {0.5, {1000, 1, 10}, NULL},
        {1.0, {1000, 600, 10}, NULL}, /* it will be over soon */
        {1.5, {1000, 500, 3000}, "loading: 50 %, 3000 records (2000/s), 2 s left"},
        {3.0, {1000, 700, 5000}, NULL}, /* said already */
        {6.5, {1000, 975, 6500}, "loading: 98 %, 6500 records (1000/s), 0 s left"},
        {20., {1000, 1000, 7000}, NULL}, /* it is done */
        {20., {1000, 10, 7000}, "loading: 1 %, 7000 records (350/s), 1980 s left"},
        {30., {0, 0, 60}, "loading: 0 %, 60 records (2/s)"}, /* from a pipe */
        {40., {0, 0, 0}, NULL},                              /* nothing is to be read */
    };
    struct pace pace;
    char text[PACE_TEXT_MAX];

    (void)state;
    pace_start(&pace, 5, 100);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        bool said = pace_line(&pace, &steps[i].count, 100 + steps[i].now, text);
        assert_true(said == (steps[i].text != NULL));
        if (said)
            assert_string_equal(text, steps[i].text);
    }
}

/* The longest line there can be. */
static void numbers_of_any_size_fit(void **state)
{
    const struct tally_count count = {UINT64_MAX, 1, UINT64_MAX};
    struct pace pace;
    char text[PACE_TEXT_MAX];

    (void)state;
    pace_start(&pace, 0, 0);
    assert_true(pace_line(&pace, &count, 1e6, text));
    assert_non_null(strstr(text, " s left"));
}

/* Done is what was expected, whatever the files turn out to be. */
static void shares_add_up(void **state)
{
    struct tally tally = {0};
    struct tally_share first = {&tally, 200, false}, second = {&tally, 20, false}, none = {0};

    (void)state;
    tally_expect(&tally, 100);
    tally_expect(&tally, 10);
    tally_add(&first, 150, 7);
    tally_add(&second, 30, 1);
    tally_add(&none, 5, 5);
    assert_int_equal(tally.count.done, 170);
    tally_end(&first);
    tally_end(&second);
    assert_int_equal(tally.count.done, tally.count.expected);
    assert_int_equal(tally.count.records, 8);
    tally_tell(NULL);
    tally_tell(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_when_they_should),
        cmocka_unit_test(numbers_of_any_size_fit),
        cmocka_unit_test(shares_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
