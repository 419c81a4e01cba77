/* answer/cookie.c, and what a query with a COOKIE option is answered with. */
#include "answer/answer.h"
#include "message/codes.h"
#include "message/wire.h"

#include "tables.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static size_t from_hex(const char *hex, uint8_t *octets)
{
    size_t length = strlen(hex) / 2;

    for (size_t i = 0; i < length; i++) {
        unsigned octet;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &octet), 1);
        octets[i] = (uint8_t)octet;
    }
    return length;
}

static struct client client_of(const char *address, enum transport transport)
{
    struct client client = {.transport = (uint8_t)transport, .length = 4};

    if (inet_pton(AF_INET, address, client.address) != 1) {
        client.length = 16;
        assert_int_equal(inet_pton(AF_INET6, address, client.address), 1);
    }
    return client;
}

/* RFC 9018 appendix A, and what lies around it. */
#define A_SECRET "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define A_CLIENT "2464c4abcf10c957"
#define A_COOKIE A_CLIENT "010000005cf79f111f8130c3eee29480"
#define OLD_SECRET "dd3bdf9344b678b185a6f5cb60fca715"
#define NEW_SECRET "445536bcd2513298075a5d379663c962"

static const struct {
    const char *what, *address, *secrets[3], *option;
    uint32_t now;
    enum cookie_state state;
    const char *reply;
} cases[] = {
    {"A.1: the first cookie", "198.51.100.100", {A_SECRET}, A_CLIENT, 1559731985, COOKIE_NEW,
     A_COOKIE},
    {"used again", "198.51.100.100", {A_SECRET}, A_COOKIE, 1559731985 + 1800, COOKIE_VALID,
     A_COOKIE},
    {"A.2: renewed after 40 minutes", "198.51.100.100", {A_SECRET}, A_COOKIE, 1559734385,
     COOKIE_VALID, A_CLIENT "010000005cf7a871d4a564a1442aca77"},
    {"A.3: reserved octets that are not 0", "203.0.113.203", {A_SECRET},
     "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", 0x5cf78f71, COOKIE_VALID,
     "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5"},
    {"A.3: and renewed, too late to be valid", "203.0.113.203", {A_SECRET},
     "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", 1559734700, COOKIE_INVALID,
     "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"},
    {"A.4: IPv6, a new secret", "2001:db8:220:1:59de:d0f4:8769:82b8", {NEW_SECRET, OLD_SECRET},
     "22681ab97d52c298010000005cf7c57926556bd0934c72f8", 1559741961, COOKIE_VALID,
     "22681ab97d52c298010000005cf7c609a6bb79d16625507a"},
    {"a new secret made known before it is used", "2001:db8:220:1:59de:d0f4:8769:82b8",
     {OLD_SECRET, NEW_SECRET}, "22681ab97d52c298010000005cf7c609a6bb79d16625507a", 1559741961,
     COOKIE_VALID, NULL},
    {"an old secret forgotten", "2001:db8:220:1:59de:d0f4:8769:82b8", {NEW_SECRET},
     "22681ab97d52c298010000005cf7c57926556bd0934c72f8", 1559741961, COOKIE_INVALID,
     "22681ab97d52c298010000005cf7c609a6bb79d16625507a"},
    {"an hour old", "198.51.100.100", {A_SECRET}, A_COOKIE, 1559731985 + 3600, COOKIE_VALID, NULL},
    {"older", "198.51.100.100", {A_SECRET}, A_COOKIE, 1559731985 + 3601, COOKIE_INVALID, NULL},
    {"5 minutes into the future", "198.51.100.100", {A_SECRET}, A_COOKIE, 1559731985 - 300,
     COOKIE_VALID, A_COOKIE},
    {"further", "198.51.100.100", {A_SECRET}, A_COOKIE, 1559731985 - 301, COOKIE_INVALID, NULL},
    {"someone else's", "198.51.100.101", {A_SECRET}, A_COOKIE, 1559731985, COOKIE_INVALID, NULL},
    {"another client cookie", "198.51.100.100", {A_SECRET},
     "2464c4abcf10c958010000005cf79f111f8130c3eee29480", 1559731985, COOKIE_INVALID, NULL},
    {"another version", "198.51.100.100", {A_SECRET}, A_CLIENT "020000005cf79f111f8130c3eee29480",
     1559731985, COOKIE_INVALID, A_COOKIE},
    {"a bit of the hash", "198.51.100.100", {A_SECRET}, A_CLIENT "010000005cf79f111f8130c3eee29481",
     1559731985, COOKIE_INVALID, A_COOKIE},
    {"8 octets of another server's", "198.51.100.100", {A_SECRET}, A_CLIENT "0100000000000000",
     1559731985, COOKIE_INVALID, A_COOKIE},
    {"32 octets of another server's", "198.51.100.100", {A_SECRET},
     A_COOKIE "00000000000000000000000000000000", 1559731985, COOKIE_INVALID, A_COOKIE},
};

static void learn_secrets(struct cookie_secrets *secrets, const char *const *texts)
{
    for (secrets->count = 0; secrets->count < 3 && texts[secrets->count] != NULL; secrets->count++)
        assert_int_equal(from_hex(texts[secrets->count], secrets->secrets[secrets->count]), 16);
}

static void cookies_are_those_of_rfc_9018(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct client client = client_of(cases[i].address, TRANSPORT_UDP);
        struct cookie_secrets secrets;
        uint8_t option[40], expected[COOKIE_SIZE], reply[COOKIE_SIZE];
        size_t length = from_hex(cases[i].option, option);
        print_message("%s\n", cases[i].what);
        learn_secrets(&secrets, cases[i].secrets);
        assert_int_equal(cookie_check(&secrets, &client, cases[i].now, option, length, reply),
                         cases[i].state);
        if (cases[i].reply != NULL) {
            assert_int_equal(from_hex(cases[i].reply, expected), COOKIE_SIZE);
            assert_memory_equal(reply, expected, COOKIE_SIZE);
        }
        /* What it is given the client may use. */
        assert_int_equal(
            cookie_check(&secrets, &client, cases[i].now, reply, COOKIE_SIZE, expected),
            COOKIE_VALID);
    }
}

/* The clock of RFC 9018 is one of 32 bits, and goes on beyond them. */
static void time_may_wrap(void **state)
{
    const struct cookie_secrets secrets = {.count = 1};
    struct client client = client_of("192.0.2.1", TRANSPORT_UDP);
    uint8_t cookie[COOKIE_SIZE] = {0}, reply[COOKIE_SIZE];

    (void)state;
    assert_int_equal(cookie_check(&secrets, &client, 0xfffffff0, cookie, 8, cookie), COOKIE_NEW);
    assert_int_equal(cookie_check(&secrets, &client, 100, cookie, COOKIE_SIZE, reply),
                     COOKIE_VALID);
    assert_int_equal(cookie_check(&secrets, &client, 3600, cookie, COOKIE_SIZE, reply),
                     COOKIE_INVALID);
}

/* --- queries ------------------------------------------------------------------- */

#define QUESTION "\2ns\4unit\4test\0\0\1\0\1"
enum { OPT_FIXED = 11, OPTION_HEADER = 4 };

static size_t make_query(uint8_t *wire, bool question, const char *cookie)
{
    uint8_t *at = wire + WIRE_HEADER_SIZE;

    memset(wire, 0, WIRE_HEADER_SIZE);
    wire[5] = question;
    if (question) {
        memcpy(at, QUESTION, sizeof QUESTION - 1);
        at += sizeof QUESTION - 1;
    }
    if (cookie == NULL)
        return (size_t)(at - wire);
    size_t length = strlen(cookie) / 2;
    wire[11] = 1;
    memcpy(at, "\0\0\x29\4\xd0\0\0\0\0\0", OPT_FIXED - 1);
    at[OPT_FIXED - 1] = (uint8_t)(OPTION_HEADER + length);
    at += OPT_FIXED;
    wire_write_u16(at, OPTION_COOKIE);
    wire_write_u16(at + 2, (uint16_t)length);
    return (size_t)(at + OPTION_HEADER - wire) + from_hex(cookie, at + OPTION_HEADER);
}

/* The COOKIE option at the end of a response, or NULL. */
static const uint8_t *find_cookie(const uint8_t *reply, size_t length)
{
    const uint8_t *option = reply + length - OPTION_HEADER - COOKIE_SIZE;

    if (length < WIRE_HEADER_SIZE + OPT_FIXED + OPTION_HEADER + COOKIE_SIZE ||
        wire_read_u16(option) != OPTION_COOKIE || wire_read_u16(option + 2) != COOKIE_SIZE)
        return NULL;
    return option + OPTION_HEADER;
}

enum policy { OFF, ON, REQUIRED };

static const struct {
    const char *what;
    bool question;
    const char *cookie;
    enum policy policy;
    enum transport transport;
    uint16_t rcode;
    uint16_t answers;
    bool gets_cookie;
    enum cookie_state state;
} exchanges[] = {
    {"none", true, NULL, ON, TRANSPORT_UDP, RCODE_NOERROR, 1, false, COOKIE_ABSENT},
    {"new", true, A_CLIENT, ON, TRANSPORT_UDP, RCODE_NOERROR, 1, true, COOKIE_NEW},
    {"valid", true, A_COOKIE, ON, TRANSPORT_UDP, RCODE_NOERROR, 1, true, COOKIE_VALID},
    {"invalid", true, A_CLIENT "0000000000000000", ON, TRANSPORT_UDP, RCODE_NOERROR, 1, true,
     COOKIE_INVALID},
    {"invalid, TCP", true, A_CLIENT "0000000000000000", ON, TRANSPORT_TCP, RCODE_NOERROR, 1, true,
     COOKIE_INVALID},
    {"switched off", true, A_COOKIE, OFF, TRANSPORT_UDP, RCODE_NOERROR, 1, false, COOKIE_ABSENT},

    {"length 0", true, "", ON, TRANSPORT_UDP, RCODE_FORMERR, 0, false, COOKIE_ABSENT},
    {"length 7", true, "00112233445566", ON, TRANSPORT_UDP, RCODE_FORMERR, 0, false,
     COOKIE_ABSENT},
    {"length 9", true, "001122334455667788", ON, TRANSPORT_UDP, RCODE_FORMERR, 0, false,
     COOKIE_ABSENT},
    {"length 15", true, "001122334455667788990011223344", ON, TRANSPORT_UDP, RCODE_FORMERR, 0,
     false, COOKIE_ABSENT},
    {"length 40", true, A_COOKIE A_SECRET, ON, TRANSPORT_UDP, RCODE_NOERROR, 1, true,
     COOKIE_INVALID},
    {"length 41", true, A_COOKIE A_SECRET "00", ON, TRANSPORT_UDP, RCODE_FORMERR, 0, false,
     COOKIE_ABSENT},

    {"required: none", true, NULL, REQUIRED, TRANSPORT_UDP, RCODE_NOERROR, 1, false,
     COOKIE_ABSENT},
    {"required: new", true, A_CLIENT, REQUIRED, TRANSPORT_UDP, RCODE_BADCOOKIE, 0, true,
     COOKIE_NEW},
    {"required: valid", true, A_COOKIE, REQUIRED, TRANSPORT_UDP, RCODE_NOERROR, 1, true,
     COOKIE_VALID},
    {"required: invalid", true, A_CLIENT "0000000000000000", REQUIRED, TRANSPORT_UDP,
     RCODE_BADCOOKIE, 0, true, COOKIE_INVALID},
    {"required: TCP", true, A_CLIENT, REQUIRED, TRANSPORT_TCP, RCODE_NOERROR, 1, true, COOKIE_NEW},

    {"no question: none", false, NULL, ON, TRANSPORT_UDP, RCODE_FORMERR, 0, false, COOKIE_ABSENT},
    {"no question: new", false, A_CLIENT, ON, TRANSPORT_UDP, RCODE_NOERROR, 0, true, COOKIE_NEW},
    {"no question: valid", false, A_COOKIE, ON, TRANSPORT_UDP, RCODE_NOERROR, 0, true,
     COOKIE_VALID},
    {"no question: invalid", false, A_CLIENT "0000000000000000", ON, TRANSPORT_UDP,
     RCODE_BADCOOKIE, 0, true, COOKIE_INVALID},
    {"no question: bad length", false, "0011", ON, TRANSPORT_UDP, RCODE_FORMERR, 0, false,
     COOKIE_ABSENT},
    {"no question: off", false, A_CLIENT, OFF, TRANSPORT_UDP, RCODE_FORMERR, 0, false,
     COOKIE_ABSENT},
};

/* The extended RCODE of a response whose OPT record has but a cookie. */
static unsigned rcode_of(const uint8_t *reply, const uint8_t *cookie)
{
    unsigned upper = cookie != NULL ? cookie[-OPTION_HEADER - 6] : 0;

    return upper << 4 | (reply[3] & 15);
}

static void ask(const struct answer_settings *settings, size_t i)
{
    struct client client = client_of("198.51.100.100", exchanges[i].transport);
    struct answer_report report;
    uint8_t query[128], reply[512];

    print_message("%s\n", exchanges[i].what);
    size_t length = make_query(query, exchanges[i].question, exchanges[i].cookie);
    length = answer(settings, &client, query, length, reply, sizeof reply, &report);
    const uint8_t *cookie = find_cookie(reply, length);
    assert_int_equal(cookie != NULL, exchanges[i].gets_cookie);
    assert_int_equal(rcode_of(reply, cookie), exchanges[i].rcode);
    assert_int_equal(report.rcode, exchanges[i].rcode);
    assert_int_equal(report.cookie, exchanges[i].state);
    assert_int_equal(report.edns, exchanges[i].cookie != NULL);
    assert_int_equal(reply[5], exchanges[i].question);
    assert_int_equal(wire_read_u16(reply + 6), exchanges[i].answers);
    if (cookie != NULL) {
        uint8_t again[COOKIE_SIZE];
        assert_int_equal(cookie_check(settings->cookies, &client, settings->now, cookie,
                                      COOKIE_SIZE, again),
                         COOKIE_VALID);
    }
}

static void queries_get_cookies(void **state)
{
    static const struct zone_text zone = {
        "unit.test.", "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n"};
    static const char *const secret[3] = {A_SECRET};
    struct cookie_secrets secrets;
    struct sealed_table sealed;

    (void)state;
    learn_secrets(&secrets, secret);
    tables_build(&sealed, &zone, 1);
    for (size_t i = 0; i < COUNT_OF(exchanges); i++) {
        const struct answer_settings settings = {
            .table = &sealed.table,
            .udp_payload_max = 1232,
            .cookies = exchanges[i].policy != OFF ? &secrets : NULL,
            .now = 1559731985,
            .cookies_required = exchanges[i].policy == REQUIRED};
        ask(&settings, i);
    }
    seal_unmap(&sealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookies_are_those_of_rfc_9018),
        cmocka_unit_test(time_may_wrap),
        cmocka_unit_test(queries_get_cookies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
