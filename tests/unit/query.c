/* message/query.c: every message has its verdict. */
#include "message/codes.h"
#include "message/query.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* A header: ID 0x1234, flags, four counts. */
#define HEADER(flags, qd, an, ns, ar) "\x12\x34" flags "\0" qd "\0" an "\0" ns "\0" ar
#define PLAIN HEADER("\0\0", "\1", "\0", "\0", "\0")
#define WITH_OPT HEADER("\0\0", "\1", "\0", "\0", "\1")
#define WWW "\3www\7example\0"
#define QUESTION WWW "\0\1\0\1"
/* OPT: root, type 41, payload 1232, extended RCODE 0, version, flags, RDLENGTH */
#define OPT(version, flags, rdlength) "\0\0\x29\4\xd0\0" version flags rdlength
#define EMPTY_OPT OPT("\0", "\0\0", "\0\0")
/* A record that is not OPT: owned by QNAME, A 192.0.2.1 */
#define A_RECORD "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\xc0\0\2\1"
#define SOA_RECORD "\xc0\x0c\0\6\0\1\0\0\0\0\0\x16\0\0" "\0\0\0\7\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

#define LABEL_63 "\77aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LABEL_62 "\76aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LABEL_61 "\75aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct verdict_case {
    const char *what;
    const char *wire;
    size_t length;
    enum query_verdict verdict;
    struct query query; /* but for its length, which is that of the message */
};

#define WIRE(octets) (octets), sizeof(octets) - 1

/* What a query says whose question is QUESTION, and nothing else. */
#define ASKED .question_length = 17, .qtype = TYPE_A, .qclass = CLASS_IN

static const struct verdict_case cases[] = {
    /* --- silence */
    {"nothing", WIRE(""), QUERY_SILENCE, {.udp_payload = 512}},
    {"one octet", WIRE("\x12"), QUERY_SILENCE, {.udp_payload = 512}},
    {"a header cut short", "\x12\x34\0\0\0\1\0\0\0\0\0", 11, QUERY_SILENCE, {.udp_payload = 512}},
    {"a response", WIRE(HEADER("\x80\0", "\1", "\0", "\0", "\0") QUESTION), QUERY_SILENCE,
     {.udp_payload = 512}},
    {"a response of 12 octets", WIRE(HEADER("\x80\0", "\0", "\0", "\0", "\0")), QUERY_SILENCE,
     {.udp_payload = 512}},
    {"a response with an unknown opcode", WIRE(HEADER("\xf8\0", "\1", "\0", "\0", "\0") QUESTION),
     QUERY_SILENCE, {.udp_payload = 512}},

    /* --- the question cannot be read */
    {"no question", WIRE(HEADER("\0\0", "\0", "\0", "\0", "\0")), QUERY_FORMERR_HEADER,
     {.udp_payload = 512}},
    {"QDCOUNT 0 and a question", WIRE(HEADER("\0\0", "\0", "\0", "\0", "\0") QUESTION),
     QUERY_FORMERR_HEADER, {.udp_payload = 512}},
    {"QDCOUNT 2", WIRE(HEADER("\0\0", "\2", "\0", "\0", "\0") QUESTION QUESTION),
     QUERY_FORMERR_HEADER, {.udp_payload = 512}},
    {"QDCOUNT 256, one question", WIRE("\x12\x34\0\0\1\0\0\0\0\0\0\0" QUESTION),
     QUERY_FORMERR_HEADER, {.udp_payload = 512}},
    {"QDCOUNT 1, no question", WIRE(PLAIN), QUERY_FORMERR_HEADER, {.udp_payload = 512}},
    {"QNAME cut in a label", WIRE(PLAIN "\3ww"), QUERY_FORMERR_HEADER, {.udp_payload = 512}},
    {"QNAME without root", WIRE(PLAIN "\3www"), QUERY_FORMERR_HEADER, {.udp_payload = 512}},
    {"QNAME alone", WIRE(PLAIN "\3www\0"), QUERY_FORMERR_HEADER, {.udp_payload = 512}},
    {"QCLASS cut", WIRE(PLAIN "\3www\0\0\1\0"), QUERY_FORMERR_HEADER, {.udp_payload = 512}},
    {"QNAME points at itself", WIRE(PLAIN "\xc0\x0c\0\1\0\1"), QUERY_FORMERR_HEADER,
     {.udp_payload = 512}},
    {"QNAME points into the header", WIRE(PLAIN "\xc0\0\0\1\0\1"), QUERY_FORMERR_HEADER,
     {.udp_payload = 512}},
    {"QNAME ends in a pointer", WIRE(PLAIN "\3www\xc0\x0c\0\1\0\1"), QUERY_FORMERR_HEADER,
     {.udp_payload = 512}},
    {"label type 01", WIRE(PLAIN "\x41xx\0\0\1\0\1"), QUERY_FORMERR_HEADER,
     {.udp_payload = 512}},
    {"label type 10", WIRE(PLAIN "\x80xx\0\0\1\0\1"), QUERY_FORMERR_HEADER,
     {.udp_payload = 512}},
    {"QNAME of 256 octets", WIRE(PLAIN LABEL_63 LABEL_63 LABEL_63 LABEL_62 "\0\0\1\0\1"),
     QUERY_FORMERR_HEADER, {.udp_payload = 512}},

    /* --- questions */
    {"a plain question", WIRE(PLAIN QUESTION), QUERY_ANSWER, {ASKED, .udp_payload = 512}},
    {"all flags but QR", WIRE(HEADER("\x07\xff", "\1", "\0", "\0", "\0") QUESTION), QUERY_ANSWER,
     {ASKED, .udp_payload = 512}},
    {"the root", WIRE(PLAIN "\0\0\2\0\1"), QUERY_ANSWER,
     {.question_length = 5, .qtype = TYPE_NS, .qclass = CLASS_IN, .udp_payload = 512}},
    {"QNAME of 255 octets", WIRE(PLAIN LABEL_63 LABEL_63 LABEL_63 LABEL_61 "\0\0\1\0\1"),
     QUERY_ANSWER,
     {.question_length = 259, .qtype = TYPE_A, .qclass = CLASS_IN, .udp_payload = 512}},
    {"any octet in a label", WIRE(PLAIN "\4\0\xff. \0\0\1\0\1"), QUERY_ANSWER,
     {.question_length = 10, .qtype = TYPE_A, .qclass = CLASS_IN, .udp_payload = 512}},
    {"another class and type", WIRE(PLAIN WWW "\xfe\xdc\0\3"), QUERY_ANSWER,
     {.question_length = 17, .qtype = 0xfedc, .qclass = CLASS_CH, .udp_payload = 512}},
    {"octets behind the question", WIRE(PLAIN QUESTION "\xff\xff\xff"), QUERY_ANSWER,
     {ASKED, .udp_payload = 512}},
    {"ANY", WIRE(PLAIN WWW "\0\xff\0\1"), QUERY_ANSWER,
     {.question_length = 17, .qtype = TYPE_ANY, .qclass = CLASS_IN, .udp_payload = 512}},

    /* --- what is not done here */
    {"AXFR", WIRE(PLAIN WWW "\0\xfc\0\1"), QUERY_TRANSFER,
     {.question_length = 17, .qtype = TYPE_AXFR, .qclass = CLASS_IN, .udp_payload = 512}},
    {"IXFR", WIRE(HEADER("\0\0", "\1", "\0", "\1", "\0") WWW "\0\xfb\0\1" A_RECORD), QUERY_TRANSFER,
     {.question_length = 17, .qtype = TYPE_IXFR, .qclass = CLASS_IN, .udp_payload = 512}},
    {"IXFR, with a SOA", WIRE(HEADER("\0\0", "\1", "\0", "\1", "\0") WWW "\0\xfb\0\1" SOA_RECORD),
     QUERY_TRANSFER,
     {.question_length = 17, .qtype = TYPE_IXFR, .qclass = CLASS_IN, .udp_payload = 512,
      .serial = 12 + 17 + 12 + 2}},
    {"NOTIFY", WIRE(HEADER("\x20\0", "\1", "\0", "\0", "\0") WWW "\0\6\0\1"), QUERY_REFUSED,
     {.question_length = 17, .qtype = TYPE_SOA, .qclass = CLASS_IN, .udp_payload = 512,
      .opcode = OPCODE_NOTIFY}},
    {"UPDATE", WIRE(HEADER("\x28\0", "\1", "\0", "\1", "\0") WWW "\0\6\0\1" A_RECORD),
     QUERY_REFUSED,
     {.question_length = 17, .qtype = TYPE_SOA, .qclass = CLASS_IN, .udp_payload = 512,
      .opcode = OPCODE_UPDATE}},
    {"UPDATE of nothing", WIRE(HEADER("\x28\0", "\0", "\0", "\0", "\0")), QUERY_FORMERR_HEADER,
     {.udp_payload = 512, .opcode = OPCODE_UPDATE}},
    {"NOTIFY with a record cut short",
     WIRE(HEADER("\x20\0", "\1", "\1", "\0", "\0") WWW "\0\6\0\1\0\0\6"), QUERY_FORMERR,
     {.question_length = 17, .qtype = TYPE_SOA, .qclass = CLASS_IN, .udp_payload = 512,
      .opcode = OPCODE_NOTIFY}},
    {"IQUERY", WIRE(HEADER("\x08\0", "\0", "\0", "\0", "\0")), QUERY_NOTIMP,
     {.udp_payload = 512, .opcode = 1}},
    {"STATUS", WIRE(HEADER("\x10\0", "\1", "\0", "\0", "\0") QUESTION), QUERY_NOTIMP,
     {ASKED, .udp_payload = 512, .opcode = 2}},
    {"opcode 15 with OPT", WIRE(HEADER("\x78\0", "\1", "\0", "\0", "\1") QUESTION EMPTY_OPT),
     QUERY_NOTIMP, {ASKED, .udp_payload = 1232, .opcode = 15, .edns = true}},
    {"opcode 15 and rubbish", WIRE(HEADER("\x78\0", "\1", "\1", "\1", "\1") "\xff\xff"),
     QUERY_NOTIMP, {.udp_payload = 512, .opcode = 15}},

    /* --- EDNS */
    {"OPT", WIRE(WITH_OPT QUESTION EMPTY_OPT), QUERY_ANSWER,
     {ASKED, .udp_payload = 1232, .edns = true}},
    {"DO", WIRE(WITH_OPT QUESTION OPT("\0", "\x80\0", "\0\0")), QUERY_ANSWER,
     {ASKED, .udp_payload = 1232, .edns = true, .dnssec_ok = true}},
    {"all flags but DO", WIRE(WITH_OPT QUESTION OPT("\0", "\x7f\xff", "\0\0")), QUERY_ANSWER,
     {ASKED, .udp_payload = 1232, .edns = true}},
    {"payload 0", WIRE(WITH_OPT QUESTION "\0\0\x29\0\0\0\0\0\0\0\0"), QUERY_ANSWER,
     {ASKED, .udp_payload = 512, .edns = true}},
    {"payload 511", WIRE(WITH_OPT QUESTION "\0\0\x29\1\xff\0\0\0\0\0\0"), QUERY_ANSWER,
     {ASKED, .udp_payload = 512, .edns = true}},
    {"payload 513", WIRE(WITH_OPT QUESTION "\0\0\x29\2\1\0\0\0\0\0\0"), QUERY_ANSWER,
     {ASKED, .udp_payload = 513, .edns = true}},
    {"payload 65535", WIRE(WITH_OPT QUESTION "\0\0\x29\xff\xff\0\0\0\0\0\0"), QUERY_ANSWER,
     {ASKED, .udp_payload = 65535, .edns = true}},
    {"an extended RCODE in a query", WIRE(WITH_OPT QUESTION "\0\0\x29\4\xd0\1\0\0\0\0\0"),
     QUERY_ANSWER, {ASKED, .udp_payload = 1232, .edns = true}},
    {"version 1", WIRE(WITH_OPT QUESTION OPT("\1", "\x80\0", "\0\0")), QUERY_BADVERS,
     {ASKED, .udp_payload = 1232, .edns = true, .dnssec_ok = true, .edns_version = 1}},
    {"version 255", WIRE(WITH_OPT QUESTION OPT("\xff", "\0\0", "\0\0")), QUERY_BADVERS,
     {ASKED, .udp_payload = 1232, .edns = true, .edns_version = 255}},
    {"version 1, AXFR", WIRE(WITH_OPT WWW "\0\xfc\0\1" OPT("\1", "\0\0", "\0\0")), QUERY_BADVERS,
     {.question_length = 17, .qtype = TYPE_AXFR, .qclass = CLASS_IN, .udp_payload = 1232,
      .edns = true, .edns_version = 1}},
    {"NSID", WIRE(WITH_OPT QUESTION OPT("\0", "\0\0", "\0\4") "\0\3\0\0"), QUERY_ANSWER,
     {ASKED, .udp_payload = 1232, .edns = true, .wants_nsid = true}},
    {"keepalive", WIRE(WITH_OPT QUESTION OPT("\0", "\0\0", "\0\4") "\0\x0b\0\0"), QUERY_ANSWER,
     {ASKED, .udp_payload = 1232, .edns = true, .wants_keepalive = true}},
    {"an unknown option between the two",
     WIRE(WITH_OPT QUESTION OPT("\0", "\0\0", "\0\x0f") "\0\x0b\0\0"
                                                        "\xff\xee\0\3abc"
                                                        "\0\3\0\0"),
     QUERY_ANSWER,
     {ASKED, .udp_payload = 1232, .edns = true, .wants_nsid = true, .wants_keepalive = true}},
    {"OPT before another additional record",
     WIRE(HEADER("\0\0", "\1", "\0", "\0", "\2") QUESTION EMPTY_OPT A_RECORD), QUERY_ANSWER,
     {ASKED, .udp_payload = 1232, .edns = true}},
    {"OPT behind records in every section",
     WIRE(HEADER("\0\0", "\1", "\1", "\1", "\2") QUESTION A_RECORD A_RECORD A_RECORD EMPTY_OPT),
     QUERY_ANSWER, {ASKED, .udp_payload = 1232, .edns = true}},
    {"OPT not counted", WIRE(PLAIN QUESTION EMPTY_OPT), QUERY_ANSWER, {ASKED, .udp_payload = 512}},
    {"octets behind OPT", WIRE(WITH_OPT QUESTION EMPTY_OPT "xyz"), QUERY_ANSWER,
     {ASKED, .udp_payload = 1232, .edns = true}},

    /* --- malformed behind the question */
    {"a record counted, none there", WIRE(WITH_OPT QUESTION), QUERY_FORMERR,
     {ASKED, .udp_payload = 512}},
    {"65535 records counted, one there", WIRE("\x12\x34\0\0\0\1\xff\xff\0\0\0\0" QUESTION A_RECORD),
     QUERY_FORMERR, {ASKED, .udp_payload = 512}},
    {"OPT cut in its fixed part", WIRE(WITH_OPT QUESTION "\0\0\x29\4\xd0\0\0\0\0\0"), QUERY_FORMERR,
     {ASKED, .udp_payload = 512}},
    {"OPT cut in its RDATA", WIRE(WITH_OPT QUESTION OPT("\0", "\0\0", "\0\4") "\0\3\0"),
     QUERY_FORMERR, {ASKED, .udp_payload = 512}},
    {"two OPTs", WIRE(HEADER("\0\0", "\1", "\0", "\0", "\2") QUESTION EMPTY_OPT EMPTY_OPT),
     QUERY_FORMERR, {ASKED, .udp_payload = 1232, .edns = true}},
    {"OPT in the answer section",
     WIRE(HEADER("\0\0", "\1", "\1", "\0", "\0") QUESTION EMPTY_OPT), QUERY_FORMERR,
     {ASKED, .udp_payload = 512}},
    {"OPT in the authority section",
     WIRE(HEADER("\0\0", "\1", "\0", "\1", "\0") QUESTION EMPTY_OPT), QUERY_FORMERR,
     {ASKED, .udp_payload = 512}},
    {"OPT owned by a name", WIRE(WITH_OPT QUESTION "\1a\0\0\x29\4\xd0\0\0\0\0\0\0"), QUERY_FORMERR,
     {ASKED, .udp_payload = 512}},
    {"OPT owned by a pointer", WIRE(WITH_OPT QUESTION "\xc0\x0c\0\x29\4\xd0\0\0\0\0\0\0"),
     QUERY_FORMERR, {ASKED, .udp_payload = 512}},
    {"an option's header does not fit",
     WIRE(WITH_OPT QUESTION OPT("\0", "\0\0", "\0\3") "\0\3\0"), QUERY_FORMERR,
     {ASKED, .udp_payload = 512}},
    {"an option's data does not fit",
     WIRE(WITH_OPT QUESTION OPT("\0", "\0\0", "\0\5") "\xff\xee\0\2x"), QUERY_FORMERR,
     {ASKED, .udp_payload = 512}},
    {"a record's owner with label type 01",
     WIRE(HEADER("\0\0", "\1", "\0", "\0", "\1") QUESTION "\x41x\0\0\1\0\1\0\0\0\0\0\0"),
     QUERY_FORMERR, {ASKED, .udp_payload = 512}},
    {"a cookie", WIRE(WITH_OPT QUESTION OPT("\0", "\0\0", "\0\xc") "\0\xa\0\10" "12345678"),
     QUERY_ANSWER, {ASKED, .udp_payload = 1232, .edns = true, .cookie = 44, .cookie_length = 8}},
    {"a cookie of 7 octets",
     WIRE(WITH_OPT QUESTION OPT("\0", "\0\0", "\0\xb") "\0\xa\0\7" "1234567"),
     QUERY_FORMERR, {ASKED, .udp_payload = 1232, .edns = true, .cookie = 44}},
    {"a cookie, then a bad one",
     WIRE(WITH_OPT QUESTION OPT("\0", "\0\0", "\0\x10") "\0\xa\0\10" "12345678" "\0\xa\0\0"),
     QUERY_ANSWER, {ASKED, .udp_payload = 1232, .edns = true, .cookie = 44, .cookie_length = 8}},
    {"a bad cookie, then a good one",
     WIRE(WITH_OPT QUESTION OPT("\0", "\0\0", "\0\x10") "\0\xa\0\0" "\0\xa\0\10" "12345678"),
     QUERY_FORMERR, {ASKED, .udp_payload = 1232, .edns = true, .cookie = 44}},
    {"a cookie, then an option that does not fit",
     WIRE(WITH_OPT QUESTION OPT("\0", "\0\0", "\0\x10") "\0\xa\0\10" "12345678" "\xff\xee\0\2"),
     QUERY_FORMERR, {ASKED, .udp_payload = 512, .cookie = 44}},
    {"a cookie alone",
     WIRE(HEADER("\0\0", "\0", "\0", "\0", "\1")
              OPT("\0", "\0\0", "\0\xc") "\0\xa\0\10" "12345678"),
     QUERY_COOKIE, {.udp_payload = 1232, .edns = true, .cookie = 27, .cookie_length = 8}},
    {"a cookie alone, EDNS version 1",
     WIRE(HEADER("\0\0", "\0", "\0", "\0", "\1")
              OPT("\1", "\0\0", "\0\xc") "\0\xa\0\10" "12345678"),
     QUERY_BADVERS,
     {.udp_payload = 1232, .edns = true, .edns_version = 1, .cookie = 27, .cookie_length = 8}},
    {"a NOTIFY with no question but a cookie",
     WIRE(HEADER("\x20\0", "\0", "\0", "\0", "\1")
              OPT("\0", "\0\0", "\0\xc") "\0\xa\0\10" "12345678"),
     QUERY_FORMERR_HEADER, {.udp_payload = 512, .opcode = 4}},
    {"EDNS without question or cookie", WIRE(HEADER("\0\0", "\0", "\0", "\0", "\1") EMPTY_OPT),
     QUERY_FORMERR_HEADER, {.udp_payload = 1232, .edns = true}},
    {"a record's owner ends in half a pointer", WIRE(WITH_OPT QUESTION "\1a\xc0"), QUERY_FORMERR,
     {ASKED, .udp_payload = 512}},
};

/* The message in memory of exactly its size, so that reading beyond is noticed. */
static enum query_verdict parse(struct query *query, const char *wire, size_t length)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);

    assert_non_null(copy);
    memcpy(copy, wire, length);
    struct name qname;
    enum query_verdict verdict = query_parse(query, &qname, copy, length);
    free(copy);
    return verdict;
}

static void assert_reads_as(const struct verdict_case *expected)
{
    struct query query;
    enum query_verdict verdict = parse(&query, expected->wire, expected->length);
    bool alike = verdict == expected->verdict && query.length == expected->length &&
                 query.question_length == expected->query.question_length &&
                 query.qtype == expected->query.qtype && query.qclass == expected->query.qclass &&
                 query.udp_payload == expected->query.udp_payload &&
                 query.opcode == expected->query.opcode && query.edns == expected->query.edns &&
                 query.dnssec_ok == expected->query.dnssec_ok &&
                 query.wants_nsid == expected->query.wants_nsid &&
                 query.wants_keepalive == expected->query.wants_keepalive &&
                 query.edns_version == expected->query.edns_version &&
                 query.cookie == expected->query.cookie &&
                 query.cookie_length == expected->query.cookie_length &&
                 query.serial == expected->query.serial;

    if (!alike)
        fail_msg("%s: verdict %d, question %u, type %u, class %u, payload %u, opcode %u, EDNS %d, "
                 "DO %d, NSID %d, keepalive %d, version %u, cookie %u at %u",
                 expected->what, verdict, query.question_length, query.qtype, query.qclass,
                 query.udp_payload, query.opcode, query.edns, query.dnssec_ok, query.wants_nsid,
                 query.wants_keepalive, query.edns_version, query.cookie_length, query.cookie);
}

static void every_message_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_reads_as(&cases[i]);
}

/* Of a message that is answered, what is cut off never makes another that is answered, unless it
 * lies behind all that is counted. */
static void a_query_cut_short_is_never_answered(void **state)
{
    (void)state;
    static const char whole[] = WITH_OPT QUESTION OPT("\0", "\x80\0", "\0\4") "\0\3\0\0";

    for (size_t length = 0; length < sizeof whole - 1; length++) {
        struct query query;
        enum query_verdict verdict = parse(&query, whole, length);
        assert_int_equal(verdict, length < 12   ? QUERY_SILENCE
                                  : length < 29 ? QUERY_FORMERR_HEADER
                                                : QUERY_FORMERR);
        assert_false(query.edns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_has_its_verdict),
        cmocka_unit_test(a_query_cut_short_is_never_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
