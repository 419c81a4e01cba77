#include "server/statistics/words.h"

#include "unit.h"

#include <string.h>

static void numbers_are_short(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {{0, "0"},
                 {-5, "0"},
                 {0.4, "0"},
                 {999, "999"},
                 {1000, "1,000"},
                 {12345678, "12,345,678"},
                 {99999999, "99,999,999"},
                 {1e8, "100.0 M"},
                 {1234567890, "1.235 G"},
                 {999960000, "1.000 G"},
                 {45.6e12, "45.6 T"},
                 {1e30, "1000000000000.0 E"}};
    char text[WORDS_MAX];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(words_number(cases[i].number, text), cases[i].text);
    assert_string_equal(words_grouped(18446744073709551615.0, text), "18,446,744,073,709,551,616");
}

static void shares_sizes_and_durations(void **state)
{
    (void)state;
    char text[WORDS_MAX];

    assert_string_equal(words_share(0, text), "0 %");
    assert_string_equal(words_share(0.001, text), "0.1 %");
    assert_string_equal(words_share(0.0994, text), "9.9 %");
    assert_string_equal(words_share(0.9312, text), "93 %");
    assert_string_equal(words_size(1023, text), "1023 octets");
    assert_string_equal(words_size(1536, text), "1.5 KiB");
    assert_string_equal(words_size(32 << 20, text), "32.0 MiB");
    assert_string_equal(words_duration(59, text), "59 s");
    assert_string_equal(words_duration(65, text), "1 min 5 s");
    assert_string_equal(words_duration(86400, text), "1 d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_short),
        cmocka_unit_test(shares_sizes_and_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
