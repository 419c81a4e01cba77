/* answer/answer.c: what a response is to those who limit how many there are, and what goes out in
 * the place of one too many. */
#include "answer/answer.h"
#include "message/codes.h"
#include "message/wire.h"

#include "tables.h"
#include "unit.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const struct zone_text zones[] = {
    {"unit.test.", "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\nwww 60 A 192.0.2.2\n"
                   "alias 60 CNAME www\naway 60 CNAME www.other.\n*.wild 60 A 192.0.2.3\n"
                   "*.alias 60 CNAME www\nsub 60 NS ns.sub\nns.sub 60 A 192.0.2.4\n"},
};

/* Each name has the source of that before it, or another. */
static const struct {
    const char *name;
    uint16_t qtype;
    enum answer_kind kind;
    bool same_source;
} cases[] = {
    {"\3www\4unit\4test", TYPE_A, ANSWER_DATA, false},
    {"\3WWW\4unit\4test", TYPE_A, ANSWER_DATA, true},
    {"\3www\4unit\4test", TYPE_MX, ANSWER_NODATA, true},
    {"\2ns\4unit\4test", TYPE_A, ANSWER_DATA, false},
    {"\5alias\4unit\4test", TYPE_A, ANSWER_DATA, false},
    {"\4away\4unit\4test", TYPE_A, ANSWER_DATA, false},
    /* what can be made up at will is one */
    {"\4none\4unit\4test", TYPE_A, ANSWER_NXDOMAIN, false},
    {"\1x\4none\4unit\4test", TYPE_A, ANSWER_NXDOMAIN, true},
    {"\1a\4wild\4unit\4test", TYPE_A, ANSWER_DATA, true},
    {"\1b\1c\4wild\4unit\4test", TYPE_A, ANSWER_DATA, true},
    {"\1b\4wild\4unit\4test", TYPE_MX, ANSWER_NODATA, true},
    {"\1b\5alias\4unit\4test", TYPE_A, ANSWER_DATA, true},
    {"\4unit\4test", TYPE_SOA, ANSWER_DATA, true},
    {"\3sub\4unit\4test", TYPE_A, ANSWER_REFERRAL, false},
    {"\1x\3sub\4unit\4test", TYPE_A, ANSWER_REFERRAL, true},
    {"\5other\4test", TYPE_A, ANSWER_ERROR, false},
    {"\4test", TYPE_A, ANSWER_ERROR, true},
};

static size_t make_query(uint8_t *wire, const char *name, uint16_t qtype)
{
    size_t length = strlen(name) + 1;

    memset(wire, 0, WIRE_HEADER_SIZE);
    wire[5] = 1;
    memcpy(wire + WIRE_HEADER_SIZE, name, length);
    wire_write_u16(wire + WIRE_HEADER_SIZE + length, qtype);
    wire_write_u16(wire + WIRE_HEADER_SIZE + length + 2, CLASS_IN);
    return WIRE_HEADER_SIZE + length + 4;
}

/* Adds an OPT record with a COOKIE option, 8 octets of a client's. */
static size_t add_cookie(uint8_t *wire, size_t length)
{
    static const uint8_t opt[] = "\0\0\x29\4\xd0\0\0\0\0\0\xc\0\xa\0\10" "A client";

    wire[11] = 1;
    memcpy(wire + length, opt, sizeof opt - 1);
    return length + sizeof opt - 1;
}

static void kinds_and_sources(void **state)
{
    const struct client client = {.transport = TRANSPORT_UDP, .length = 4};
    uint8_t query[128], reply[512];
    uint64_t last = 42;
    struct sealed_table sealed;

    (void)state;
    tables_build(&sealed, zones, COUNT_OF(zones));
    const struct answer_settings settings = {.table = &sealed.table, .udp_payload_max = 512};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct answer_report report;
        size_t length = make_query(query, cases[i].name, cases[i].qtype);
        assert_true(answer(&settings, &client, query, length, reply, sizeof reply, &report) > 0);
        if (report.kind != cases[i].kind || (report.source == last) != cases[i].same_source)
            fail_msg("case %zu: kind %d, source %s", i, report.kind,
                     report.source == last ? "the same" : "another");
        last = report.source;
    }
    seal_unmap(&sealed);
}

static void a_slip_has_no_records(void **state)
{
    static const struct cookie_secrets secrets = {.count = 1};
    const struct client client = {.transport = TRANSPORT_UDP, .length = 4};
    uint8_t query[128], reply[512];
    struct sealed_table sealed;

    (void)state;
    tables_build(&sealed, zones, COUNT_OF(zones));
    const struct answer_settings settings = {
        .table = &sealed.table, .udp_payload_max = 1232, .cookies = &secrets};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (int cookie = 0; cookie <= 1; cookie++) {
            struct answer_report report;
            struct answer_task task;
            size_t plain = make_query(query, cases[i].name, cases[i].qtype);
            size_t length = cookie ? add_cookie(query, plain) : plain;
            answer_begin(&task, &settings, query, length);
            answer_look_ahead(&task, &settings);
            answer_look_into_zone(&task, &settings);
            answer_look_closer(&task);
            answer_finish(&task, &settings, &client, reply, sizeof reply, &report);
            size_t slip = answer_slip(&task, &settings, &client, reply, &report);
            assert_int_equal(slip, length + (cookie ? COOKIE_SERVER_SIZE : 0));
            assert_memory_equal(reply + WIRE_HEADER_SIZE, query + WIRE_HEADER_SIZE,
                                plain - WIRE_HEADER_SIZE);
            assert_memory_equal(reply + 6, "\0\0\0\0\0", 5);
            assert_int_equal((reply[2] & 2) != 0, !cookie);
            assert_int_equal(report.truncated, !cookie);
            assert_int_equal(report.rcode, cookie ? RCODE_BADCOOKIE : RCODE_NOERROR);
        }
    seal_unmap(&sealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_and_sources),
        cmocka_unit_test(a_slip_has_no_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
