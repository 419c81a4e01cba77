/* answer/hmac.c and answer/tsig.c: signatures as libcrypto and ldns make and check them. */
#include "answer/tsig.h"
#include "answer/answer.h"
#include "answer/transfer.h"
#include "message/codes.h"
#include "message/wire.h"

#include "tables.h"
#include "unit.h"

#include <ldns/ldns.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* --- HMAC: `printf %s DATA | openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY` ----------- */

static const char data[] = "what do ya want for nothing?";

static void hmac_is_that_of_openssl(void **state)
{
    enum { LONG = 131 };
    static const struct {
        enum hmac_hash hash;
        bool is_long; /* the key: 131 times 0xAA, which is hashed first; else Jefe */
        const char *hex;
    } cases[] = {
        {HMAC_SHA256, false, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {HMAC_SHA384, false,
         "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ec"
         "fab21649"},
        {HMAC_SHA512, false,
         "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65"
         "f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
        {HMAC_SHA256, true, "bbdac401abeea01d2e53972bc420224af5faf9b35f65738d35b1bae551738199"},
        {HMAC_SHA384, true,
         "962366fff63e5ac0578bd4c26fedf892ac7d06bd8b31eecb8729f9031ee0bb08601ac82648381121cd652be0"
         "4a8113a2"},
        {HMAC_SHA512, true,
         "23612f1c767d023f0a0d618698befd28efd2909c00597eacd2b50e2310c8cc3f91decbe658279d59c93eb5a9"
         "2f1ae6368e0980e7adfeec411ac4a770f09ab658"},
    };
    uint8_t long_key[LONG], result[HMAC_OCTETS_MAX];

    (void)state;
    memset(long_key, 0xAA, sizeof long_key);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct hmac_key key;
        struct hmac hmac;
        char hex[2 * HMAC_OCTETS_MAX + 1];
        hmac_prepare(&key, cases[i].hash, cases[i].is_long ? long_key : (const uint8_t *)"Jefe",
                     cases[i].is_long ? sizeof long_key : 4);
        hmac_begin(&hmac, &key);
        hmac_add(&hmac, data, 5);
        hmac_add(&hmac, data + 5, strlen(data) - 5);
        hmac_end(&hmac, result);
        for (size_t k = 0; k < hmac_length(&key); k++)
            snprintf(hex + 2 * k, 3, "%02x", result[k]);
        assert_string_equal(hex, cases[i].hex);
    }
}

/* --- TSIG ------------------------------------------------------------------------------------- */

#define SECRET "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI="
static const char secret[] = "secretsecretsecretsecretsecret12"; /* the same */

static const struct zone_text zones[] = {
    {"z.test.", "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n"}};

/* A name as long as names can be: three labels of 63 octets, and one of 61. */
#define LABEL    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
#define LONG_KEY LABEL LABEL LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."

static struct tsig_key own_keys[3];
static const struct tsig_keys keys = {own_keys, COUNT_OF(own_keys)};
static struct sealed_table sealed;

static int set_up(void **state)
{
    (void)state;
    assert_int_not_equal(name_read(&own_keys[0].name, (const uint8_t *)"\3key\4test", 10), 0);
    hmac_prepare(&own_keys[0].hmac, HMAC_SHA256, (const uint8_t *)secret, strlen(secret));
    assert_int_not_equal(name_read(&own_keys[1].name, (const uint8_t *)"\3big", 5), 0);
    hmac_prepare(&own_keys[1].hmac, HMAC_SHA512, (const uint8_t *)secret, strlen(secret));
    ldns_rdf *name = ldns_dname_new_frm_str(LONG_KEY);
    assert_int_equal(ldns_rdf_size(name), NAME_OCTETS_MAX);
    assert_int_not_equal(name_read(&own_keys[2].name, ldns_rdf_data(name), NAME_OCTETS_MAX), 0);
    hmac_prepare(&own_keys[2].hmac, HMAC_SHA256, (const uint8_t *)secret, strlen(secret));
    ldns_rdf_deep_free(name);
    tables_build(&sealed, zones, COUNT_OF(zones));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    seal_unmap(&sealed);
    return 0;
}

/* A signed query, and the MAC of it. */
struct query_of {
    uint8_t wire[1024];
    size_t length;
    ldns_rdf *mac;
};

/* `edns_size` 0: without EDNS. */
static void make_query_for(struct query_of *query, const char *qname, ldns_rr_type type,
                           uint16_t edns_size, const char *key, const char *key_secret,
                           const char *algorithm)
{
    ldns_rdf *name = ldns_dname_new_frm_str(qname);
    ldns_pkt *packet = ldns_pkt_query_new(name, type, LDNS_RR_CLASS_IN, LDNS_RD);
    uint8_t *wire;

    if (edns_size > 0)
        ldns_pkt_set_edns_udp_size(packet, edns_size);
    ldns_pkt_set_id(packet, 4711);
    assert_int_equal(ldns_pkt_tsig_sign(packet, key, key_secret, 300, algorithm, NULL),
                     LDNS_STATUS_OK);
    assert_int_equal(ldns_pkt2wire(&wire, packet, &query->length), LDNS_STATUS_OK);
    memcpy(query->wire, wire, query->length);
    query->mac = ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(packet), 3));
    free(wire);
    ldns_pkt_free(packet);
}

static void make_query(struct query_of *query, ldns_rr_type type, const char *key,
                       const char *key_secret, const char *algorithm)
{
    make_query_for(query, "z.test.", type, 1232, key, key_secret, algorithm);
}

static struct answer_settings settings_at(time_t now)
{
    return (struct answer_settings){
        .table = &sealed.table, .udp_payload_max = 1232, .keys = &keys, .now = (uint32_t)now};
}

static const struct client client = {.transport = TRANSPORT_UDP, .length = 4};

/* The ERROR of a response's TSIG record; -1: it has none. */
static int tsig_error(const ldns_pkt *packet)
{
    const ldns_rr *tsig = ldns_pkt_tsig(packet);

    return tsig != NULL ? wire_read_u16(ldns_rdf_data(ldns_rr_rdf(tsig, 5))) : -1;
}

static void each_query_gets_its_signature(void **state)
{
    static const struct {
        const char *key, *secret, *algorithm;
        long late; /* seconds */
        int rcode, error;
        bool verifies;
    } cases[] = {
        {"key.test.", SECRET, "hmac-sha256.", 0, RCODE_NOERROR, TSIG_NO_ERROR, true},
        {"KEY.test.", SECRET, "HMAC-sha256.", 0, RCODE_NOERROR, TSIG_NO_ERROR, true},
        {"big.", SECRET, "hmac-sha512.", 0, RCODE_NOERROR, TSIG_NO_ERROR, true},
        {"key.test.", SECRET, "hmac-sha256.", 290, RCODE_NOERROR, TSIG_NO_ERROR, true},
        {"key.test.", SECRET, "hmac-sha256.", -290, RCODE_NOERROR, TSIG_NO_ERROR, true},
        {"key.test.", SECRET, "hmac-sha256.", 400, RCODE_NOTAUTH, TSIG_BADTIME, true},
        {"key.test.", SECRET, "hmac-sha256.", -400, RCODE_NOTAUTH, TSIG_BADTIME, true},
        {"key.test.", "YWJj", "hmac-sha256.", 0, RCODE_NOTAUTH, TSIG_BADSIG, false},
        {"key.test.", SECRET, "hmac-sha512.", 0, RCODE_NOTAUTH, TSIG_BADKEY, false},
        {"key.test.", SECRET, "hmac-sha1.", 0, RCODE_NOTAUTH, TSIG_BADKEY, false},
        {"other.test.", SECRET, "hmac-sha256.", 0, RCODE_NOTAUTH, TSIG_BADKEY, false},
    };
    uint8_t reply[4096];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct answer_settings settings = settings_at(time(NULL) + cases[i].late);
        struct answer_report report;
        struct query_of query;
        ldns_pkt *packet;
        make_query(&query, LDNS_RR_TYPE_NS, cases[i].key, cases[i].secret, cases[i].algorithm);
        size_t length =
            answer(&settings, &client, query.wire, query.length, reply, sizeof reply, &report);
        assert_int_equal(ldns_wire2pkt(&packet, reply, length), LDNS_STATUS_OK);
        if ((int)ldns_pkt_get_rcode(packet) != cases[i].rcode ||
            tsig_error(packet) != cases[i].error || report.rcode != cases[i].rcode)
            fail_msg("case %zu: RCODE %d, TSIG error %d", i, (int)ldns_pkt_get_rcode(packet),
                     tsig_error(packet));
        assert_int_equal(ldns_pkt_ancount(packet), cases[i].rcode == RCODE_NOERROR);
        assert_int_equal(ldns_pkt_id(packet), 4711);
        bool verifies =
            ldns_pkt_tsig_verify(packet, reply, length, cases[i].key, cases[i].secret, query.mac);
        if (verifies != cases[i].verifies)
            fail_msg("case %zu: the signature is %s", i, verifies ? "right" : "wrong");
        ldns_pkt_free(packet);
        ldns_rdf_deep_free(query.mac);
    }
}

/* A proxy may give the query another ID, and takes it back in the response (RFC 8945 §4.3.2). */
static void a_proxy_may_change_the_id(void **state)
{
    enum { ID = 4711, OTHER_ID = 815 };
    const struct answer_settings settings = settings_at(time(NULL));
    struct answer_report report;
    struct query_of query;
    uint8_t reply[4096];
    ldns_pkt *packet;

    (void)state;
    make_query(&query, LDNS_RR_TYPE_NS, "key.test.", SECRET, "hmac-sha256.");
    wire_write_u16(query.wire, OTHER_ID);
    size_t length =
        answer(&settings, &client, query.wire, query.length, reply, sizeof reply, &report);
    assert_int_equal(report.rcode, RCODE_NOERROR);
    assert_int_equal(wire_read_u16(reply), OTHER_ID);
    wire_write_u16(reply, ID);
    assert_int_equal(ldns_wire2pkt(&packet, reply, length), LDNS_STATUS_OK);
    assert_true(ldns_pkt_tsig_verify(packet, reply, length, "key.test.", SECRET, query.mac));
    ldns_pkt_free(packet);
    ldns_rdf_deep_free(query.mac);
}

#define LONG_QNAME                                                                                 \
    LABEL LABEL LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.z.test."

/* Whether question and signature fit into what the client takes or not, it gets what it can tell is
 * ours. */
static void long_names_are_answered(void **state)
{
    static const struct {
        const char *key;
        uint16_t edns_size;
        int rcode;
        bool truncated;
        unsigned questions;
    } cases[] = {
        {"key.test.", 0, RCODE_NXDOMAIN, false, 1}, {"key.test.", 1232, RCODE_NXDOMAIN, false, 1},
        {LONG_KEY, 0, RCODE_NOERROR, true, 0},      {LONG_KEY, 512, RCODE_NOERROR, true, 0},
        {LONG_KEY, 1232, RCODE_NXDOMAIN, false, 1},
    };
    const struct answer_settings settings = settings_at(time(NULL));
    uint8_t reply[4096];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct answer_report report;
        struct query_of query;
        ldns_pkt *packet;
        make_query_for(&query, LONG_QNAME, LDNS_RR_TYPE_A, cases[i].edns_size, cases[i].key, SECRET,
                       "hmac-sha256.");
        size_t length =
            answer(&settings, &client, query.wire, query.length, reply, sizeof reply, &report);
        assert_in_range(length, 1, cases[i].edns_size > 0 ? cases[i].edns_size : 512);
        assert_int_equal(ldns_wire2pkt(&packet, reply, length), LDNS_STATUS_OK);
        assert_int_equal(report.rcode, cases[i].rcode);
        assert_int_equal(ldns_pkt_get_rcode(packet), cases[i].rcode);
        assert_int_equal(ldns_pkt_tc(packet), cases[i].truncated);
        assert_int_equal(report.truncated, cases[i].truncated);
        assert_int_equal(ldns_pkt_qdcount(packet), cases[i].questions);
        assert_int_equal(report.qtype, cases[i].questions > 0 ? TYPE_A : 0);
        assert_int_equal(ldns_pkt_edns(packet), cases[i].edns_size > 0);
        assert_true(ldns_pkt_tsig_verify(packet, reply, length, cases[i].key, SECRET, query.mac));
        ldns_pkt_free(packet);
        ldns_rdf_deep_free(query.mac);
    }
}

/* Of a key and an algorithm that we do not know, there may be no room for the names. */
static void long_unknown_names_get_a_header(void **state)
{
    static const uint8_t question[] = "\22\147\0\0\0\1\0\0\0\0\0\1\1z\4test\0\0\2\0\1";
    static const uint8_t fixed[] = "\0\372\0\377\0\0\0\0\1\17"; /* RDLENGTH 271 */
    const struct answer_settings settings = settings_at(time(NULL));
    struct answer_report report;
    uint8_t query[1024] = {0}, reply[512], *at = query;
    ldns_rdf *name = ldns_dname_new_frm_str(LONG_QNAME);

    (void)state;
    memcpy(at, question, sizeof question - 1);
    at += sizeof question - 1;
    memcpy(at, ldns_rdf_data(name), NAME_OCTETS_MAX);
    at += NAME_OCTETS_MAX;
    memcpy(at, fixed, sizeof fixed - 1);
    at += sizeof fixed - 1;
    memcpy(at, ldns_rdf_data(name), NAME_OCTETS_MAX);
    at += NAME_OCTETS_MAX + 16;
    size_t length =
        answer(&settings, &client, query, (size_t)(at - query), reply, sizeof reply, &report);
    assert_int_equal(length, WIRE_HEADER_SIZE);
    assert_int_equal(report.rcode, RCODE_FORMERR);
    ldns_rdf_deep_free(name);
}

/* The query's MAC, of HMAC-SHA256, without its end; as the proof of the response will have it. */
static void truncate_mac(struct query_of *query, uint16_t length)
{
    enum { WHOLE = 32, BEHIND = 6, ALGORITHM = 13, NUMBERS = 16 };
    uint8_t *mac = query->wire + query->length - BEHIND - WHOLE;
    uint8_t *rdlength = mac - (NUMBERS - BEHIND) - ALGORITHM - 2;

    assert_int_equal(wire_read_u16(mac - 2), WHOLE);
    assert_int_equal(wire_read_u16(rdlength), ALGORITHM + NUMBERS + WHOLE);
    wire_write_u16(mac - 2, length);
    wire_write_u16(rdlength, (uint16_t)(ALGORITHM + NUMBERS + length));
    memmove(mac + length, mac + WHOLE, BEHIND);
    query->length -= WHOLE - (size_t)length;
    ldns_rdf_deep_free(query->mac);
    query->mac = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_INT16_DATA, 2 + (size_t)length, mac - 2);
}

/* RFC 8945 §5.2: first the MAC is checked, then the time, then whether it is long enough; and who
 * has the key is told so in a way that he can trust (§5.3.2). */
static void truncated_signatures_are_judged_last(void **state)
{
    static const struct {
        const char *secret;
        uint16_t length;
        long late;
        int rcode, error;
        bool verifies;
    } cases[] = {
        {SECRET, 16, 0, RCODE_NOTAUTH, TSIG_BADTRUNC, true},
        {SECRET, 31, 0, RCODE_NOTAUTH, TSIG_BADTRUNC, true},
        {SECRET, 16, 400, RCODE_NOTAUTH, TSIG_BADTIME, true},
        {"YWJj", 16, 0, RCODE_NOTAUTH, TSIG_BADSIG, false},
        {SECRET, 15, 0, RCODE_FORMERR, -1, false},
    };
    uint8_t reply[4096];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct answer_settings settings = settings_at(time(NULL) + cases[i].late);
        struct answer_report report;
        struct query_of query;
        ldns_pkt *packet;
        make_query(&query, LDNS_RR_TYPE_NS, "key.test.", cases[i].secret, "hmac-sha256.");
        truncate_mac(&query, cases[i].length);
        size_t length =
            answer(&settings, &client, query.wire, query.length, reply, sizeof reply, &report);
        assert_int_equal(ldns_wire2pkt(&packet, reply, length), LDNS_STATUS_OK);
        assert_int_equal(report.rcode, cases[i].rcode);
        assert_int_equal(tsig_error(packet), cases[i].error);
        assert_int_equal(ldns_pkt_ancount(packet), 0);
        assert_int_equal(
            ldns_pkt_tsig_verify(packet, reply, length, "key.test.", SECRET, query.mac),
            cases[i].verifies);
        ldns_pkt_free(packet);
        ldns_rdf_deep_free(query.mac);
    }
}

static enum query_verdict parse(const uint8_t *wire, size_t length)
{
    struct query query;
    struct name qname;

    return query_parse(&query, &qname, wire, length);
}

/* Whatever is cut off or changed, nothing is answered as if it had been verified; but a query whose
 * record is none any more is one that nobody has signed. */
static void changed_queries_are_refused(void **state)
{
    const struct answer_settings settings = settings_at(time(NULL));
    struct query_of query;
    struct answer_report report;
    uint8_t reply[4096], changed[1024];

    (void)state;
    make_query(&query, LDNS_RR_TYPE_NS, "key.test.", SECRET, "hmac-sha256.");
    for (size_t at = 4; at < query.length; at++) {
        memcpy(changed, query.wire, query.length);
        changed[at] ^= 0x41;
        size_t length =
            answer(&settings, &client, changed, query.length, reply, sizeof reply, &report);
        ldns_pkt *packet;
        if (length == 0)
            continue;
        assert_int_equal(ldns_wire2pkt(&packet, reply, length), LDNS_STATUS_OK);
        assert_int_not_equal(tsig_error(packet), TSIG_NO_ERROR);
        ldns_pkt_free(packet);
    }
    for (size_t cut = 1; cut < 80; cut++) {
        answer(&settings, &client, query.wire, query.length - cut, reply, sizeof reply, &report);
        assert_int_equal(report.rcode, RCODE_FORMERR);
    }
    /* TSIG is the last record, and there is one (RFC 8945 §5.1). */
    memcpy(changed, query.wire, query.length);
    memcpy(changed + query.length, "\0\0\x0a\0\1\0\0\0\0\0\0", 11);
    changed[11]++;
    assert_int_equal(parse(changed, query.length), QUERY_FORMERR);
    assert_int_equal(parse(changed, query.length + 11), QUERY_FORMERR);
    ldns_rdf_deep_free(query.mac);
}

/* RFC 8945 §5.3.1: each message of a transfer is signed, with the MAC before it. */
static void transfers_are_signed_throughout(void **state)
{
    struct zone_text zone = {"z.test.", calloc(1, 200000)};
    char *text = (char *)(uintptr_t)zone.text, *end = text;
    struct sealed_table table;
    struct transfer transfer;
    struct query_of query;
    uint8_t *message = malloc(WIRE_MESSAGE_MAX);
    unsigned messages = 0;

    (void)state;
    assert_true(text != NULL && message != NULL);
    end += sprintf(end, "%s", zones[0].text);
    for (unsigned i = 0; i < 3000; i++)
        end += sprintf(end, "host%u 60 A 10.0.%u.%u\n", i, i / 256, i % 256);
    tables_build(&table, &zone, 1);
    make_query(&query, LDNS_RR_TYPE_AXFR, "big.", SECRET, "hmac-sha512.");
    ldns_rdf *before = query.mac;
    transfer_begin(&transfer, &table.table, &keys, query.wire, query.length, 1232);
    for (; !transfer_has_ended(&transfer); messages++) {
        size_t length = transfer_next(&transfer, (uint64_t)time(NULL), message);
        ldns_pkt *packet;
        assert_in_range(length, 1, 16384);
        assert_int_equal(ldns_wire2pkt(&packet, message, length), LDNS_STATUS_OK);
        ldns_rdf *mac = ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(packet), 3));
        assert_true(ldns_pkt_tsig_verify_next(packet, message, length, "big.", SECRET, before,
                                              messages > 0));
        ldns_rdf_deep_free(before);
        before = mac;
        ldns_pkt_free(packet);
    }
    assert_in_range(messages, 3, 10);
    ldns_rdf_deep_free(before);
    free(message);
    free(text);
    seal_unmap(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmac_is_that_of_openssl),
        cmocka_unit_test(each_query_gets_its_signature),
        cmocka_unit_test(a_proxy_may_change_the_id),
        cmocka_unit_test(long_names_are_answered),
        cmocka_unit_test(long_unknown_names_get_a_header),
        cmocka_unit_test(truncated_signatures_are_judged_last),
        cmocka_unit_test(changed_queries_are_refused),
        cmocka_unit_test(transfers_are_signed_throughout),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
