/* answer/transfer.c and message/record.c: who gets a zone, and that what he gets is the zone. */
#include "answer/transfer.h"
#include "answer/answer.h"
#include "message/codes.h"
#include "message/wire.h"

#include "tables.h"
#include "unit.h"

#include <ldns/ldns.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define SOA             "@ 60 IN SOA ns h 4294967295 2 3 4 5\n"

static struct prefix everyone[] = {{.length = 4}, {.length = 16}};
static const struct access_list anybody = {.networks = {everyone, COUNT_OF(everyone)}};
static const struct access_list nobody;

/* --- queries ------------------------------------------------------------------------------- */

struct asker {
    const char *zone;
    uint16_t type;
    uint16_t class;
    long serial; /* of the client's SOA; -1: it sends none */
    bool edns;
};

static size_t make_query(const struct asker *asker, uint8_t *wire)
{
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 4, 0xD0, 0, 0, 0x80, 0, 0, 0};
    ldns_rdf *name = ldns_dname_new_frm_str(asker->zone);
    size_t at = WIRE_HEADER_SIZE, length = ldns_rdf_size(name);

    memset(wire, 0, WIRE_HEADER_SIZE);
    wire_write_u16(wire, 0x1234);
    wire[5] = 1;
    wire[9] = asker->serial >= 0;
    wire[11] = asker->edns;
    memcpy(wire + at, ldns_rdf_data(name), length);
    ldns_rdf_deep_free(name);
    wire_write_u16(wire + at + length, asker->type);
    wire_write_u16(wire + at + length + 2, asker->class);
    at += length + 4;
    if (asker->serial >= 0) {
        static const uint8_t soa[] = {0xC0, 12, 0, TYPE_SOA, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0};
        memcpy(wire + at, soa, sizeof soa);
        memset(wire + at + sizeof soa, 0, 20);
        wire_write_u32(wire + at + sizeof soa, (uint32_t)asker->serial);
        at += sizeof soa + 20;
    }
    if (asker->edns)
        memcpy(wire + at, opt, sizeof opt);
    return at + (asker->edns ? sizeof opt : 0);
}

/* --- who gets what --------------------------------------------------------------------------- */

static void each_gets_what_he_may(void **state)
{
    static const struct zone_text zones[] = {{"z.test.", SOA "@ 60 IN NS ns.other.\n"}};
    enum { ALL = -1 };
    static const struct {
        struct asker asker;
        bool udp, busy;
        const struct access_list *allowed;
        uint16_t rcode;
        int answers; /* ALL: the zone */
        int ede;
    } cases[] = {
        {{"z.test.", TYPE_AXFR, 1, -1, true}, 0, 0, &anybody, RCODE_NOERROR, ALL, EDE_NONE},
        {{"Z.TEST.", TYPE_AXFR, 1, -1, true}, 0, 0, &anybody, RCODE_NOERROR, ALL, EDE_NONE},
        {{"z.test.", TYPE_AXFR, 1, -1, true}, 0, 0, NULL, RCODE_REFUSED, 0, EDE_PROHIBITED},
        {{"z.test.", TYPE_AXFR, 1, -1, true}, 0, 0, &nobody, RCODE_REFUSED, 0, EDE_PROHIBITED},
        {{"z.test.", TYPE_AXFR, 1, -1, true}, 0, 1, &anybody, RCODE_SERVFAIL, 0, EDE_NOT_READY},
        {{"z.test.", TYPE_AXFR, 1, -1, true}, 1, 0, &anybody, RCODE_REFUSED, 0, EDE_NOT_SUPPORTED},
        {{"z.test.", TYPE_AXFR, 3, -1, true},
         0,
         0,
         &anybody,
         RCODE_NOTAUTH,
         0,
         EDE_NOT_AUTHORITATIVE},
        {{"a.z.test.", TYPE_AXFR, 1, -1, true},
         0,
         0,
         &anybody,
         RCODE_NOTAUTH,
         0,
         EDE_NOT_AUTHORITATIVE},
        {{"test.", TYPE_AXFR, 1, -1, true},
         0,
         0,
         &anybody,
         RCODE_NOTAUTH,
         0,
         EDE_NOT_AUTHORITATIVE},
        /* The zone's serial is 2^32 - 1: RFC 1982. */
        {{"z.test.", TYPE_IXFR, 1, 0xFFFFFFFE, true}, 0, 0, &anybody, RCODE_NOERROR, ALL, EDE_NONE},
        {{"z.test.", TYPE_IXFR, 1, 0x80000000, true}, 0, 0, &anybody, RCODE_NOERROR, ALL, EDE_NONE},
        {{"z.test.", TYPE_IXFR, 1, 0xFFFFFFFF, true}, 0, 0, &anybody, RCODE_NOERROR, 1, EDE_NONE},
        {{"z.test.", TYPE_IXFR, 1, 0, true}, 0, 0, &anybody, RCODE_NOERROR, 1, EDE_NONE},
        {{"z.test.", TYPE_IXFR, 1, 7, true}, 0, 1, &anybody, RCODE_NOERROR, 1, EDE_NONE},
        {{"z.test.", TYPE_IXFR, 1, -1, true}, 0, 0, &anybody, RCODE_FORMERR, 0, EDE_NONE},
        {{"z.test.", TYPE_IXFR, 1, 0xFFFFFFFE, true}, 0, 0, NULL, RCODE_REFUSED, 0, EDE_PROHIBITED},
        {{"z.test.", TYPE_IXFR, 1, 0xFFFFFFFE, true}, 1, 1, &anybody, RCODE_NOERROR, 1, EDE_NONE},
        {{"z.test.", TYPE_IXFR, 1, 0xFFFFFFFE, true}, 1, 0, NULL, RCODE_REFUSED, 0, EDE_PROHIBITED},
    };
    struct sealed_table sealed;

    (void)state;
    tables_build(&sealed, zones, COUNT_OF(zones));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct access access = {.others = cases[i].allowed};
        const struct client client = {.transport = cases[i].udp ? TRANSPORT_UDP : TRANSPORT_TCP,
                                      .length = 4};
        const struct answer_settings settings = {.table = &sealed.table,
                                                 .udp_payload_max = 1232,
                                                 .transfers = cases[i].allowed ? &access : NULL,
                                                 .transfers_busy = cases[i].busy};
        struct answer_report report;
        uint8_t query[512], reply[WIRE_MESSAGE_MAX];
        size_t length = answer(&settings, &client, query, make_query(&cases[i].asker, query), reply,
                               sizeof reply, &report);
        bool whole = report.kind == ANSWER_TRANSFER;
        if (report.rcode != cases[i].rcode || whole != (cases[i].answers == ALL) ||
            whole != (length == 0))
            fail_msg("case %zu: RCODE %u, length %zu", i, report.rcode, length);
        if (whole)
            continue;
        assert_int_equal(wire_read_u16(reply + 6), cases[i].answers);
        assert_int_equal(wire_read_u16(reply + 2) & FLAG_AA, cases[i].answers ? FLAG_AA : 0);
        if (cases[i].ede != EDE_NONE)
            assert_int_equal(wire_read_u16(reply + length - 2), cases[i].ede);
    }
    seal_unmap(&sealed);
}

/* --- the zone -------------------------------------------------------------------------- */

/* Texts of RRs. */
struct lines {
    char **items;
    size_t count, room;
};

static void add_rr(struct lines *lines, const ldns_rr *rr)
{
    ldns_rr *copy = ldns_rr_clone(rr);

    if (lines->count == lines->room) {
        lines->room = 2 * lines->room + 64;
        lines->items = realloc(lines->items, lines->room * sizeof *lines->items);
        assert_non_null(lines->items);
    }
    ldns_rr2canonical(copy);
    lines->items[lines->count++] = ldns_rr2str(copy);
    ldns_rr_free(copy);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_lines(struct lines *lines)
{
    qsort(lines->items, lines->count, sizeof *lines->items, compare_lines);
}

static void free_lines(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->items[i]);
    free(lines->items);
}

/* The RRs of the zone, as ldns reads it; the SOA twice. */
static struct lines read_zone(const struct zone_text *zone)
{
    struct lines lines = {0};
    FILE *file = fmemopen((void *)(uintptr_t)zone->text, strlen(zone->text), "r");
    ldns_rdf *origin = ldns_dname_new_frm_str(zone->origin);
    ldns_zone *read;

    assert_int_equal(ldns_zone_new_frm_fp(&read, file, origin, 60, LDNS_RR_CLASS_IN),
                     LDNS_STATUS_OK);
    fclose(file);
    add_rr(&lines, ldns_zone_soa(read));
    add_rr(&lines, ldns_zone_soa(read));
    for (size_t i = 0; i < ldns_zone_rr_count(read); i++)
        add_rr(&lines, ldns_rr_list_rr(ldns_zone_rrs(read), i));
    ldns_zone_deep_free(read);
    ldns_rdf_deep_free(origin);
    sort_lines(&lines);
    return lines;
}

/* A transfer as a client sees it. */
struct received {
    struct lines lines;
    unsigned messages;
    size_t octets;
    ldns_rr_type first, last; /* RRs */
};

static void receive(struct received *received, const uint8_t *wire, size_t length, bool edns)
{
    ldns_pkt *packet;

    assert_int_equal(ldns_wire2pkt(&packet, wire, length), LDNS_STATUS_OK);
    assert_int_equal(ldns_pkt_id(packet), 0x1234);
    assert_true(ldns_pkt_qr(packet) && ldns_pkt_aa(packet) && !ldns_pkt_tc(packet));
    assert_int_equal(ldns_pkt_get_rcode(packet), LDNS_RCODE_NOERROR);
    assert_int_equal(ldns_pkt_qdcount(packet), 1);
    assert_int_equal(ldns_pkt_nscount(packet), 0);
    assert_int_equal(ldns_pkt_edns(packet), edns && received->messages == 0);
    const ldns_rr_list *answer = ldns_pkt_answer(packet);
    size_t count = ldns_rr_list_rr_count(answer);
    assert_true(count > 0);
    if (received->messages++ == 0)
        received->first = ldns_rr_get_type(ldns_rr_list_rr(answer, 0));
    received->last = ldns_rr_get_type(ldns_rr_list_rr(answer, count - 1));
    received->octets += length;
    for (size_t i = 0; i < count; i++)
        add_rr(&received->lines, ldns_rr_list_rr(answer, i));
    ldns_pkt_free(packet);
}

static struct received transfer_zone(const struct zone_text *zone, bool edns)
{
    const struct asker asker = {zone->origin, TYPE_AXFR, CLASS_IN, -1, edns};
    struct received received = {0};
    struct sealed_table sealed;
    struct transfer transfer;
    uint8_t query[512], *message = malloc(WIRE_MESSAGE_MAX);

    assert_non_null(message);
    tables_build(&sealed, zone, 1);
    transfer_begin(&transfer, &sealed.table, NULL, query, make_query(&asker, query), 1232);
    while (!transfer_has_ended(&transfer))
        receive(&received, message, transfer_next(&transfer, 0, message), edns);
    free(message);
    seal_unmap(&sealed);
    sort_lines(&received.lines);
    return received;
}

static struct received check_zone(const struct zone_text *zone, bool edns)
{
    struct lines expected = read_zone(zone);
    struct received received = transfer_zone(zone, edns);

    assert_int_equal(received.first, LDNS_RR_TYPE_SOA);
    assert_int_equal(received.last, LDNS_RR_TYPE_SOA);
    for (size_t i = 0; i < expected.count && i < received.lines.count; i++)
        assert_string_equal(received.lines.items[i], expected.items[i]);
    assert_int_equal(received.lines.count, expected.count);
    free_lines(&expected);
    free_lines(&received.lines);
    return received;
}

#define SIGNATURE "5 2 60 20300101000000 20200101000000 1 z.test. AAAA"

static void a_transfer_is_the_zone(void **state)
{
    static const struct zone_text zones[] = {
        {"z.test.", SOA "@ 60 NS ns.other.\n"},
        {".", SOA "@ 60 NS ns\nns 60 A 192.0.2.1\na.b 60 MX 1 ns\n"},
        {"z.test.", SOA "@ 60 NS ns\nns 60 A 192.0.2.1\nns 60 AAAA ::1\na.b.c 7 TXT deep\n"
                        "*.w 60 MX 1 ns\n*.w 60 MX 2 x.w\nUp 60 CNAME *.w\nd 60 DNAME ns\n"
                        "s 60 SRV 1 2 3 ns\nt 60 TYPE65280 \\# 3 C00C00\n"},
        /* glue: of the cut itself, below it, below it and its neighbour, of that, and of no cut */
        {"z.test.", SOA "@ 60 NS ns.a\na 60 NS a\na 60 NS ns.a\na 60 NS x.y.a\na 60 NS ns.b\n"
                        "a 60 A 192.0.2.1\nns.a 60 A 192.0.2.2\nns.a 60 AAAA ::2\nx.y.a 60 A "
                        "192.0.2.3\nb 60 NS ns.a\nb 60 NS ns.b\nns.b 60 A 192.0.2.4\n"
                        "m 60 MX 1 ns.b\nm 60 MX 2 mail.b\nmail.b 60 A 192.0.2.5\n"
                        "a 60 DS 1 8 2 00000000000000000000000000000000000000000000000000000000"
                        "00000000\n"},
        /* occluded: at and below cuts and a DNAME; what would be wrong elsewhere */
        {"z.test.", SOA "@ 60 NS ns.other.\na 60 NS ns.a\nns.a 60 A 192.0.2.1\nns.a 60 TXT x\n"
                        "a 60 TXT y\na 60 AAAA ::1\nb.a 60 NS ns.b.a\nns.b.a 60 A 192.0.2.2\n"
                        "c.a 60 CNAME x\nc.a 60 CNAME y\n*.a 60 DNAME x\nd 60 DNAME other.\n"
                        "x.d 60 MX 1 ns.a\n"},
        /* signatures; those of the SOA, once; an NSEC3 chain, and RRs of none */
        {"z.test.", SOA
         "@ 60 RRSIG SOA " SIGNATURE "\n@ 60 NS ns.other.\n@ 60 RRSIG NS " SIGNATURE "\n"
         "@ 60 NSEC3PARAM 1 0 0 -\n@ 60 RRSIG NSEC3PARAM " SIGNATURE "\n"
         "t 60 TXT a b\nt 60 RRSIG TXT " SIGNATURE "\nt 60 RRSIG TXT " SIGNATURE "BBBB\n"
         "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 60 NSEC3 1 0 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A\n"
         "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 60 RRSIG NSEC3 " SIGNATURE "\n"
         "2t7b4g4vsa5smi47k61mv5bv1a22bojr 60 NSEC3 1 0 9 AB 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n"
         "2t7b4g4vsa5smi47k61mv5bv1a22bojr 60 RRSIG NSEC3 " SIGNATURE "\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(zones); i++)
        assert_int_equal(check_zone(&zones[i], i % 2).messages, 1);
}

/* RFC 7873 §5.2: who sends a cookie gets one, once, and that is a valid one. */
static void a_cookie_is_answered(void **state)
{
    static const struct zone_text zone = {"z.test.", SOA "@ 60 NS ns.other.\n"};
    static const struct asker asker = {"z.test.", TYPE_AXFR, CLASS_IN, -1, true};
    static const struct cookie_secrets secrets = {.count = 1, .secrets = {{1, 2, 3}}};
    static const uint8_t option[] = {0, 10, 0, 8, 'c', 'o', 'o', 'k', 'i', 'e', '!', '!'};
    static const struct client client = {TRANSPORT_TCP, 4, {192, 0, 2, 1}};
    uint8_t query[512], message[WIRE_MESSAGE_MAX], next[COOKIE_SIZE];
    size_t length = make_query(&asker, query);
    struct transfer transfer;
    struct sealed_table sealed;
    ldns_pkt *packet;

    (void)state;
    query[length - 1] = sizeof option;
    memcpy(query + length, option, sizeof option);
    tables_build(&sealed, &zone, 1);
    transfer_begin(&transfer, &sealed.table, NULL, query, length + sizeof option, 1232);
    transfer_add_cookie(&transfer, &secrets, &client, 1000000, query);
    size_t answered = transfer_next(&transfer, 1000000, message);
    assert_int_equal(ldns_wire2pkt(&packet, message, answered), LDNS_STATUS_OK);
    const uint8_t *options = ldns_rdf_data(ldns_pkt_edns_data(packet));
    assert_int_equal(ldns_rdf_size(ldns_pkt_edns_data(packet)), 4 + COOKIE_SIZE);
    assert_memory_equal(options, "\0\12\0\30cookie!!", 12);
    assert_int_equal(cookie_check(&secrets, &client, 1000001, options + 4, COOKIE_SIZE, next),
                     COOKIE_VALID);
    ldns_pkt_free(packet);
    seal_unmap(&sealed);
}

enum { LARGE = 1 << 20 };

/* Adds a line to the text, which has room for LARGE octets. */
__attribute__((format(printf, 2, 3))) static void add_line(char *text, const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(text + length, LARGE - length, format, arguments);
    va_end(arguments);
    assert_true(n > 0 && (size_t)n < LARGE - length);
}

/* RRsets and nodes of all lengths, so that messages end everywhere: in an RRset, between it and its
 * signatures, in those, in glue. */
static void messages_end_anywhere(void **state)
{
    struct zone_text zone = {"z.test.", calloc(1, LARGE)};
    char *text = (char *)(uintptr_t)zone.text;

    (void)state;
    assert_non_null(text);
    add_line(text, SOA "@ 60 IN NS ns.other.\n");
    for (unsigned i = 0; i < 700; i++) {
        add_line(text, "h%u.%.*s 60 IN A 10.0.%u.%u\n", i, 1 + (int)(i % 60),
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", i / 256, i % 256);
        for (unsigned k = 0; k <= i % 7; k++)
            add_line(text, "t%u 60 IN TXT \"%.*s%u\"\nt%u 60 IN RRSIG TXT %s%04u\n", i,
                     (int)(i * 37 % 120),
                     "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
                     "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
                     k, i, SIGNATURE, k);
        for (unsigned k = 0; k <= i % 3; k++)
            add_line(text, "c%u 60 IN NS ns%u.c%u\nns%u.c%u 60 IN A 10.1.1.%u\n", i, k, i, k, i, k);
        add_line(text, "m%u 60 IN MX 1 mail.x%u.other.\nm%u 60 IN MX 2 smtp.x%u.other.\n", i, i, i,
                 i);
    }
    assert_true(check_zone(&zone, true).messages > 10);
    free(text);
}

/* An RR that no message of the usual size holds has one of its own. */
static void large_records_have_their_own_message(void **state)
{
    struct zone_text zone = {"z.test.", calloc(1, LARGE)};
    char *text = (char *)(uintptr_t)zone.text;
    enum { MOST = 65535 - 12 - 8 - 4 - 2 - 12 }; /* beside the header, question and the owner, z */

    (void)state;
    assert_non_null(text);
    add_line(text, SOA "@ 60 IN NS ns.other.\n");
    add_line(text, "z 60 IN TYPE65280 \\# %d %0*d\nzz 60 IN A 192.0.2.1\n", MOST, 2 * MOST, 0);
    for (unsigned i = 0; i < 4; i++)
        add_line(text, "z%u 60 IN TYPE65280 \\# 20000 %0*d\n", i, 40000, 0);
    /* ldns reads no lines as long as these. */
    struct received received = transfer_zone(&zone, false);
    assert_in_range(received.messages, 3, 7);
    assert_int_equal(received.lines.count, 2 + 1 + 2 + 4);
    for (size_t i = 1; i < received.lines.count; i++)
        assert_true(i == 2 || strcmp(received.lines.items[i - 1], received.lines.items[i]) != 0);
    free_lines(&received.lines);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_gets_what_he_may),
        cmocka_unit_test(a_transfer_is_the_zone),
        cmocka_unit_test(a_cookie_is_answered),
        cmocka_unit_test(messages_end_anywhere),
        cmocka_unit_test(large_records_have_their_own_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
