/* zone/presentation.c: names, numbers, times and octets as master files write them. */
#include "zone/presentation.h"

#include "unit.h"

#include <string.h>

static struct token word(const char *text)
{
    return (struct token){.text = text, .length = (unsigned)strlen(text), .line = 1};
}

/* 64, 63 and 61 letters. */
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A61 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void names_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wire;
        unsigned length;
    } cases[] = {
        {"@", "\3Org", 5},
        {".", "", 1},
        {"a", "\1a\3Org", 7},
        {"a.", "\1a", 3},
        {"A.b", "\1A\1b\3Org", 9},
        {"\\@", "\1@\3Org", 7},
        {"a\\.b.", "\3a.b", 5},
        {"\\000\\255.", "\2\0\377", 4},
        {"\\\\.", "\1\\", 3},
        {A63 ".", "\77" A63, 65},
        {A63 "." A63 "." A63 "." A61 ".", "\77" A63 "\77" A63 "\77" A63 "\75" A61, 255},
    };
    const struct domain origin = {.length = 5, .octets = "\3Org"};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct token token = word(cases[i].text);
        struct domain name;
        assert_null(presentation_name(&token, &origin, &name));
        assert_int_equal(name.length, cases[i].length);
        assert_memory_equal(name.octets, cases[i].wire, cases[i].length);
    }
}

static void what_is_no_name_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "..",
        ".a",
        "a..b",
        "a\\",
        "a\\25",
        "a\\256",
        A64,
        A63 "." A63 "." A63 "." A63 ".",
        A63 "." A63 "." A63 "." A61, /* fits, but not with its origin */
    };
    const struct domain origin = {.length = 5, .octets = "\3Org"};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct token token = word(cases[i]);
        struct domain name;
        assert_non_null(presentation_name(&token, &origin, &name));
    }
    struct token quoted = word("a");
    struct domain name;
    quoted.quoted = true;
    assert_non_null(presentation_name(&quoted, &origin, &name));
}

static void numbers_stay_in_their_range(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t max;
        int64_t number; /* -1: refused */
    } cases[] = {
        {"0", 255, 0},
        {"255", 255, 255},
        {"256", 255, -1},
        {"007", 255, 7},
        {"", 255, -1},
        {"-1", 255, -1},
        {"+1", 255, -1},
        {"1a", 255, -1},
        {"4294967295", UINT32_MAX, 4294967295},
        {"4294967296", UINT32_MAX, -1},
        {"99999999999999999999999", UINT32_MAX, -1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct token token = word(cases[i].text);
        uint32_t number = 0;
        bool good = presentation_number(&token, cases[i].max, &number) == NULL;
        assert_int_equal(good ? (int64_t)number : -1, cases[i].number);
    }
}

static void ttls_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ttl; /* -1: refused */
    } cases[] = {
        {"0", 0},
        {"3600", 3600},
        {"1h30m", 5400},
        {"1W2D3h4M5s", 788645},
        {"1h30", -1},
        {"h", -1},
        {"", -1},
        {"1x", -1},
        {"-1", -1},
        {"1h m", -1},
        {"2147483647", INT32_MAX},
        {"2147483648", -1},
        {"3551w", -1},
        {"3550w5d3h14m7s", INT32_MAX},
        {"3550w5d3h14m8s", -1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct token token = word(cases[i].text);
        uint32_t ttl = 0;
        bool good = presentation_ttl(&token, &ttl) == NULL;
        assert_int_equal(good ? (int64_t)ttl : -1, cases[i].ttl);
    }
}

static void times_are_dates_or_seconds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t time; /* -1: refused */
    } cases[] = {
        {"19700101000000", 0},         {"20380119031407", INT32_MAX},
        {"20000229120000", 951825600}, {"21060207062816", 0}, /* modulo 2^32 */
        {"1700000000", 1700000000},    {"20010229000000", -1},
        {"20011301000000", -1},        {"20010001000000", -1},
        {"20010101240000", -1},        {"20010101006000", -1},
        {"19691231235959", -1},        {"2001010100000", -1},
        {"2001010100000x", -1},        {"", -1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct token token = word(cases[i].text);
        uint32_t time = 0;
        bool good = presentation_time(&token, &time) == NULL;
        assert_int_equal(good ? (int64_t)time : -1, cases[i].time);
    }
}

typedef const char *decoder(const char *text, size_t text_length, uint8_t *to, size_t room,
                            size_t *length);

static void encodings_are_decoded(void **state)
{
    (void)state;
    static const struct {
        decoder *decode;
        const char *text;
        const char *octets; /* NULL: refused */
    } cases[] = {
        {presentation_hex, "", ""},
        {presentation_hex, "00fFA0", "\0\377\240"},
        {presentation_hex, "0", NULL},
        {presentation_hex, "0g", NULL},
        {presentation_hex, "0000000000000000000000", NULL}, /* 11 octets: no room */
        /* RFC 4648 §10 */
        {presentation_base64, "Zg==", "f"},
        {presentation_base64, "Zm8=", "fo"},
        {presentation_base64, "Zm9vYmFy", "foobar"},
        {presentation_base64, "+/+/", "\373\377\277"},
        {presentation_base64, "", NULL},
        {presentation_base64, "Zg", NULL},
        {presentation_base64, "Zh==", NULL}, /* bits behind the last octet */
        {presentation_base64, "Z===", NULL},
        {presentation_base64, "Zg==Zg==", NULL},
        {presentation_base64, "Zg-=", NULL},
        {presentation_base64, "AAAAAAAAAAAAAAA=", NULL}, /* 11 octets */
        {presentation_base32hex, "cO", "f"},
        {presentation_base32hex, "cpnmuoj1", "fooba"},
        {presentation_base32hex, "c", NULL},
        {presentation_base32hex, "cp", NULL},
        {presentation_base32hex, "cw", NULL},
    };
    uint8_t octets[10];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t length = 0;
        const char *error =
            cases[i].decode(cases[i].text, strlen(cases[i].text), octets, sizeof octets, &length);
        assert_int_equal(error == NULL, cases[i].octets != NULL);
        if (error == NULL)
            assert_memory_equal(octets, cases[i].octets, length);
    }
}

static void strings_have_escapes_and_an_end(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *octets; /* NULL: refused */
        size_t length;
    } cases[] = {
        {"", "", 0},        {"abcd", "abcd", 4}, {"abcde", NULL, 0}, {"\\\"\\;", "\";", 2},
        {"\\009", "\t", 1}, {"\\9", NULL, 0},    {"\\", NULL, 0},    {"a\\300", NULL, 0},
    };
    uint8_t octets[4];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct token token = word(cases[i].text);
        size_t length = 0;
        const char *error = presentation_octets(&token, octets, sizeof octets, &length);
        assert_int_equal(error == NULL, cases[i].octets != NULL);
        assert_int_equal(length, cases[i].length);
        if (error == NULL)
            assert_memory_equal(octets, cases[i].octets, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(numbers_stay_in_their_range),
        cmocka_unit_test(ttls_have_units),
        cmocka_unit_test(times_are_dates_or_seconds),
        cmocka_unit_test(encodings_are_decoded),
        cmocka_unit_test(strings_have_escapes_and_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
