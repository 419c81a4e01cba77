/* answer/access.c and server/protection/access_rules.c: who gets which answer. */
#include "answer/answer.h"
#include "message/codes.h"
#include "message/wire.h"
#include "server/protection/access_rules.h"

#include "tables.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define APEX            "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n"

static const struct zone_text zones[] = {
    {"open.test.", APEX "to-inner 60 CNAME www.inner.test.\nto-open 60 CNAME ns\n"},
    {"inner.test.", APEX "www 60 A 192.0.2.2\nsub 60 NS ns.sub.open.test.\n"},
    {"deep.inner.test.", APEX},
    {"nobody.test.", APEX},
};

/* What each client gets, by name: ANSWERS, or 0 and NOERROR, or REFUSED with an extended error. */
static const struct {
    const char *rules[4];
    const char *client;
    const char *name;
    uint16_t rcode;
    uint16_t answers;
    int ede;
} cases[] = {
    {{NULL}, "192.0.2.1", "\2ns\5inner\4test", RCODE_NOERROR, 1, EDE_NONE},
    {{"inner.test=10.0.0.0/8"}, "10.1.2.3", "\2ns\5inner\4test", RCODE_NOERROR, 1, EDE_NONE},
    {{"Inner.TEST.=10.0.0.0/8"}, "11.1.2.3", "\2ns\5inner\4test", RCODE_REFUSED, 0, EDE_PROHIBITED},
    {{"inner.test=10.0.0.0/8"}, "10::", "\2ns\5inner\4test", RCODE_REFUSED, 0, EDE_PROHIBITED},
    {{"inner.test=10.0.0.0/8"},
     "11.1.2.3",
     "\4none\5inner\4test",
     RCODE_REFUSED,
     0,
     EDE_PROHIBITED},
    {{"inner.test=10.0.0.0/8"}, "11.1.2.3", "\3sub\5inner\4test", RCODE_REFUSED, 0, EDE_PROHIBITED},
    /* a zone for itself, whatever lies above */
    {{"inner.test=10.0.0.0/8"}, "11.1.2.3", "\2ns\4deep\5inner\4test", RCODE_NOERROR, 1, EDE_NONE},
    {{"inner.test=10.0.0.0/8"}, "11.1.2.3", "\2ns\4open\4test", RCODE_NOERROR, 1, EDE_NONE},
    /* several for one zone */
    {{"inner.test=10.0.0.0/8", "inner.test=2001:db8::/32"},
     "2001:db8::1",
     "\2ns\5inner\4test",
     RCODE_NOERROR,
     1,
     EDE_NONE},
    {{"inner.test=10.0.0.0/8", "inner.test=2001:db8::/32"},
     "10.0.0.1",
     "\2ns\5inner\4test",
     RCODE_NOERROR,
     1,
     EDE_NONE},
    /* all others, any and none */
    {{"none", "open.test=any"}, "2001:db8::1", "\2ns\4open\4test", RCODE_NOERROR, 1, EDE_NONE},
    {{"none", "open.test=any"}, "192.0.2.1", "\2ns\5inner\4test", RCODE_REFUSED, 0, EDE_PROHIBITED},
    {{"192.0.2.0/24", "nobody.test=none"},
     "192.0.2.1",
     "\2ns\6nobody\4test",
     RCODE_REFUSED,
     0,
     EDE_PROHIBITED},
    {{"192.0.2.0/24", "nobody.test=none"},
     "192.0.2.1",
     "\2ns\4open\4test",
     RCODE_NOERROR,
     1,
     EDE_NONE},
    /* a zone that is not served is none of these */
    {{"none"}, "192.0.2.1", "\5other\4test", RCODE_REFUSED, 0, EDE_NOT_AUTHORITATIVE},
    /* aliases: no way round */
    {{NULL}, "192.0.2.1", "\10to-inner\4open\4test", RCODE_NOERROR, 2, EDE_NONE},
    {{"inner.test=10.0.0.0/8"}, "10.0.0.1", "\10to-inner\4open\4test", RCODE_NOERROR, 2, EDE_NONE},
    {{"inner.test=10.0.0.0/8"}, "11.0.0.1", "\10to-inner\4open\4test", RCODE_NOERROR, 1, EDE_NONE},
    {{"inner.test=10.0.0.0/8"}, "11.0.0.1", "\7to-open\4open\4test", RCODE_NOERROR, 2, EDE_NONE},
};

static size_t make_query(uint8_t *wire, const char *name)
{
    static const uint8_t header[WIRE_HEADER_SIZE] = {[5] = 1, [11] = 1};
    static const uint8_t tail[] = "\0\0\1\0\1\0\0\x29\4\xd0\0\0\0\0\0"; /* and the 0 behind it */
    size_t length = strlen(name);

    memcpy(wire, header, sizeof header);
    memcpy(wire + sizeof header, name, length);
    memcpy(wire + sizeof header + length, tail, sizeof tail);
    return sizeof header + length + sizeof tail;
}

/* The extended error at the end of a response with no other option. */
static int ede_of(const uint8_t *reply, size_t length)
{
    const uint8_t *option = reply + length - 6;

    return wire_read_u16(option) == OPTION_EDE && wire_read_u16(option + 2) == 2
               ? wire_read_u16(option + 4)
               : EDE_NONE;
}

static struct client client_of(const char *address)
{
    struct client client = {.transport = TRANSPORT_UDP, .length = 4};

    if (inet_pton(AF_INET, address, client.address) != 1) {
        client.length = 16;
        assert_int_equal(inet_pton(AF_INET6, address, client.address), 1);
    }
    return client;
}

static void ask(const struct table *table, size_t i)
{
    struct client client = client_of(cases[i].client);
    struct access_rules rules = {0};
    struct access access = {0};
    char error[ACCESS_RULES_ERROR_MAX];
    struct answer_report report;
    uint8_t query[128], reply[512];

    for (size_t k = 0; k < COUNT_OF(cases[i].rules) && cases[i].rules[k] != NULL; k++)
        assert_true(access_rules_read(&rules, cases[i].rules[k], error));
    /* Once for another table, then for this one. */
    assert_true(access_rules_compile(&rules, ~table->header->seed, &access));
    assert_true(access_rules_compile(&rules, table->header->seed, &access));
    const struct answer_settings settings = {
        .table = table, .udp_payload_max = 512, .access = rules.count > 0 ? &access : NULL};
    size_t length = make_query(query, cases[i].name);
    length = answer(&settings, &client, query, length, reply, sizeof reply, &report);
    if (report.rcode != cases[i].rcode || wire_read_u16(reply + 6) != cases[i].answers ||
        ede_of(reply, length) != cases[i].ede)
        fail_msg("case %zu: %s gets RCODE %u, %u answers, extended error %d", i, cases[i].client,
                 report.rcode, wire_read_u16(reply + 6), ede_of(reply, length));
    free(access.entries);
    access_rules_free(&rules);
}

static void each_gets_what_he_may(void **state)
{
    struct sealed_table sealed;

    (void)state;
    tables_build(&sealed, zones, COUNT_OF(zones));
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ask(&sealed.table, i);
    seal_unmap(&sealed);
}

static void what_is_no_rule_is_refused(void **state)
{
    static const struct {
        const char *text, *error;
    } bad[] = {
        {"", "give an IPv4 or IPv6 address, or ADDR/BITS"},
        {"open.test", "give an IPv4 or IPv6 address, or ADDR/BITS"},
        {"open.test=", "give an IPv4 or IPv6 address, or ADDR/BITS"},
        {"=any", "give the name of a zone in front of the ="},
        {"@=any", "give the name of a zone in front of the ="},
        {"a..b=any", "give the name of a zone in front of the ="},
        {"open.test=10.0.0.0/33", "give a number of bits from 0 to 32 behind the /"},
        {"open.test=10.0.0.0/8+key:k", "give a number of bits from 0 to 32 behind the /"},
    };
    static const struct {
        const char *text, *error;
    } bad_with_keys[] = {
        {"key:", "give the name of a key behind the colon"},
        {"10.0.0.0/8+key:", "give the name of a key behind the colon"},
        {"10.0.0.0/33+key:k", "give a number of bits from 0 to 32 behind the /"},
        {"any+key:k", "give an IPv4 or IPv6 address, or ADDR/BITS"},
        {"+key:k", "give an IPv4 or IPv6 address, or ADDR/BITS"},
        {"10.0.0.0/8+k", "give a number of bits from 0 to 32 behind the /"},
        {"10.0.0.0/00000000000000000000000000000000000000000000000000000000000000008+key:k",
         "give an IPv4 or IPv6 address, or ADDR/BITS"},
    };
    struct access_rules rules = {0};
    char error[ACCESS_RULES_ERROR_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(access_rules_read(&rules, bad[i].text, error));
        assert_string_equal(error, bad[i].error);
    }
    rules.with_keys = true;
    for (size_t i = 0; i < COUNT_OF(bad_with_keys); i++) {
        assert_false(access_rules_read(&rules, bad_with_keys[i].text, error));
        assert_string_equal(error, bad_with_keys[i].error);
    }
    access_rules_free(&rules);
}

/* An address and a key are each enough, unless a rule wants both. */
static void keys_may_be_bound_to_networks(void **state)
{
    static const struct {
        const char *rules[3];
        const char *client;
        const char *key;
        bool granted;
    } grants[] = {
        {{"10.0.0.0/8+key:k"}, "10.1.2.3", "k", true},
        {{"10.0.0.0/8+key:k"}, "10.1.2.3", NULL, false},
        {{"10.0.0.0/8+key:k"}, "10.1.2.3", "other", false},
        {{"10.0.0.0/8+key:k"}, "11.1.2.3", "k", false},
        {{"10.0.0.0/8+key:k"}, "a01:203::", "k", false},
        {{"2001:db8::1+key:k"}, "2001:db8::1", "K", true},
        {{"2001:db8::1+key:k"}, "2001:db8::2", "k", false},
        {{"0.0.0.0/0+key:k"}, "11.1.2.3", "k", true},
        {{"10.0.0.0/8+key:k", "11.0.0.0/8+key:k"}, "11.1.2.3", "k", true},
        {{"10.0.0.0/8+key:k", "key:k"}, "12.1.2.3", "k", true},
        {{"10.0.0.0/8", "key:k"}, "10.1.2.3", NULL, true},
        {{"10.0.0.0/8", "key:k"}, "11.1.2.3", "k", true},
    };
    struct sealed_table sealed;
    char error[ACCESS_RULES_ERROR_MAX];
    uint32_t position = 0;

    (void)state;
    tables_build(&sealed, zones, 1);
    const struct table_section *zone = table_next_zone(&sealed.table, &position);
    for (size_t i = 0; i < COUNT_OF(grants); i++) {
        struct access_rules rules = {.with_keys = true};
        struct access access = {0};
        struct client client = client_of(grants[i].client);
        struct name key;
        for (size_t k = 0; grants[i].rules[k] != NULL; k++)
            assert_true(access_rules_read(&rules, grants[i].rules[k], error));
        assert_true(access_rules_compile(&rules, sealed.table.header->seed, &access));
        assert_true(grants[i].key == NULL || access_rules_read_name(&key, grants[i].key));
        if (access_grants(&access, zone, &client, grants[i].key != NULL ? &key : NULL) !=
            grants[i].granted)
            fail_msg("case %zu: %s with %s", i, grants[i].client,
                     grants[i].key != NULL ? grants[i].key : "no key");
        free(access.entries);
        access_rules_free(&rules);
    }
    seal_unmap(&sealed);
}

/* Each of very many zones has a rule of its own, and keeps it while the others are added. */
static void zones_have_rules_of_their_own(void **state)
{
    enum { ZONES = 20000 };
    struct access_rules rules = {0};
    struct access access = {0};
    char text[64], error[ACCESS_RULES_ERROR_MAX];

    (void)state;
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < ZONES; i++) {
            snprintf(text, sizeof text, "Z%u.Test=10.%u.%u.%u", i, round, i >> 8, i & 255);
            assert_true(access_rules_read(&rules, text, error));
            if (i == ZONES / 2)
                assert_true(access_rules_read(&rules, "192.0.2.1", error));
        }
    assert_int_equal(rules.count, ZONES + 1);
    assert_true(access_rules_compile(&rules, 1, &access));
    assert_int_equal(access.count, ZONES);
    assert_int_equal(access.others->networks.count, 2);
    for (size_t i = 0; i < access.count; i++) {
        unsigned number;
        const struct prefix *prefixes = access.entries[i].allowed->networks.prefixes;
        assert_int_equal(sscanf((const char *)access.entries[i].apex->octets + 1, "z%u", &number),
                         1);
        assert_int_equal(access.entries[i].allowed->networks.count, 2);
        for (unsigned round = 0; round < 2; round++) {
            const uint8_t *address = prefixes[round].address;
            assert_int_equal(address[1], round);
            assert_int_equal(address[2] << 8 | address[3], number);
        }
    }
    free(access.entries);
    access_rules_free(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_gets_what_he_may),
        cmocka_unit_test(what_is_no_rule_is_refused),
        cmocka_unit_test(keys_may_be_bound_to_networks),
        cmocka_unit_test(zones_have_rules_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
