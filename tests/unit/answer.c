/* answer/: zones as text, questions, and the responses they must get, section by section. */
#include "answer/answer.h"
#include "message/codes.h"
#include "message/wire.h"

#include "tables.h"
#include "unit.h"

#include <ldns/ldns.h>

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 20000 };

/* How a question is asked. */
enum asked_with { PLAIN = 0, EDNS = 1 << 0, DNSSEC_OK = 1 << 1, TCP = 1 << 2, ALL_CLASSES = 1 << 3,
                  CHAOS = 1 << 4 };

struct exchange {
    const char *question; /* "name type" */
    unsigned with;
    const char *response;
};

static size_t make_query(const char *question, unsigned with, uint8_t *wire)
{
    char owner[300], type[32];
    size_t length;
    uint8_t *made;

    assert_int_equal(sscanf(question, "%299s %31s", owner, type), 2);
    ldns_rdf *name = ldns_dname_new_frm_str(owner);
    assert_non_null(name);
    ldns_rr_class class = with & CHAOS         ? LDNS_RR_CLASS_CH
                          : with & ALL_CLASSES ? LDNS_RR_CLASS_ANY
                                               : LDNS_RR_CLASS_IN;
    ldns_pkt *query = ldns_pkt_query_new(name, ldns_get_rr_type_by_name(type), class, LDNS_RD);
    ldns_pkt_set_id(query, 4711);
    if (with & (EDNS | DNSSEC_OK)) {
        ldns_pkt_set_edns_udp_size(query, 1232);
        ldns_pkt_set_edns_do(query, with & DNSSEC_OK);
    }
    assert_int_equal(ldns_pkt2wire(&made, query, &length), LDNS_STATUS_OK);
    memcpy(wire, made, length);
    free(made);
    ldns_pkt_free(query);
    return length;
}

static void add(char *text, const char *more)
{
    assert_true(strlen(text) + strlen(more) < TEXT_MAX);
    strcat(text, more);
}

/* "owner TTL TYPE RDATA", as ldns writes it, class and tabs gone. */
static void add_record(char *text, const char *section, const ldns_rr *rr)
{
    char *line = ldns_rr2str(rr);
    char owner[1100], ttl[20], class[10], rest[9000];

    assert_int_equal(sscanf(line, "%1099s %19s %9s %8999[^\n]", owner, ttl, class, rest), 4);
    for (char *tab = rest; (tab = strchr(tab, '\t')) != NULL;)
        *tab = ' ';
    rest[strcspn(rest, ";")] = '\0';
    for (char *blanks = rest; (blanks = strstr(blanks, "  ")) != NULL;)
        memmove(blanks, blanks + 1, strlen(blanks));
    while (rest[0] != '\0' && rest[strlen(rest) - 1] == ' ')
        rest[strlen(rest) - 1] = '\0';
    char whole[11000];
    snprintf(whole, sizeof whole, "%s %s %s %s\n", section, owner, ttl, rest);
    add(text, whole);
    free(line);
}

static void add_section(char *text, const char *name, const ldns_rr_list *list)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
        add_record(text, name, ldns_rr_list_rr(list, i));
}

static const char *render(const uint8_t *wire, size_t length)
{
    static char text[TEXT_MAX];
    ldns_pkt *response;

    assert_int_equal(ldns_wire2pkt(&response, wire, length), LDNS_STATUS_OK);
    assert_int_equal(ldns_pkt_id(response), 4711);
    assert_true(ldns_pkt_qr(response) && ldns_pkt_rd(response) && !ldns_pkt_ra(response));
    char *rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(response));
    snprintf(text, sizeof text, "%s%s%s\n", rcode, ldns_pkt_aa(response) ? " aa" : "",
             ldns_pkt_tc(response) ? " tc" : "");
    free(rcode);
    add_section(text, "an", ldns_pkt_answer(response));
    add_section(text, "ns", ldns_pkt_authority(response));
    add_section(text, "ad", ldns_pkt_additional(response));
    ldns_pkt_free(response);
    return text;
}

static void ask_each(const struct table *table, const struct exchange *exchanges, size_t count)
{
    struct answer_settings settings = {
        .table = table,
        .udp_payload_max = 1232,
        .chaos = {.id = "ns1", .worker = "worker 2 of 4 pid 1234"},
    };
    static uint8_t query[65535], reply[65535];
    struct answer_report report;

    for (size_t i = 0; i < count; i++) {
        size_t length = make_query(exchanges[i].question, exchanges[i].with, query);
        const struct client client = {
            .transport = exchanges[i].with & TCP ? TRANSPORT_TCP : TRANSPORT_UDP};
        length = answer(&settings, &client, query, length, reply, sizeof reply, &report);
        const char *response = render(reply, length);
        if (strcmp(response, exchanges[i].response) != 0)
            print_error("asked: %s\n", exchanges[i].question);
        assert_string_equal(response, exchanges[i].response);
    }
}

#define ASK(zones, exchanges)                                                                      \
    do {                                                                                           \
        struct sealed_table sealed;                                                                \
        tables_build(&sealed, zones, sizeof(zones) / sizeof((zones)[0]));                          \
        ask_each(&sealed.table, exchanges, sizeof(exchanges) / sizeof((exchanges)[0]));            \
        seal_unmap(&sealed);                                                                       \
    } while (0)

#define APEX                                                                                       \
    "@ 3600 SOA ns hostmaster 1 7200 3600 1209600 300\n"                                           \
    "@ 3600 NS ns\n"                                                                               \
    "ns 3600 A 192.0.2.53\n"

/* What makes a zone a signed one; the signature is none that anybody could check. */
#define SIGNED                                                                                     \
    "@ 60 DNSKEY 257 3 13 AAAA\n@ 60 RRSIG DNSKEY 13 1 60 20380101000000 20200101000000 1 @ AAAA\n"

#define SOA_OF(apex)                                                                               \
    "ns " apex " 300 SOA ns." apex " hostmaster." apex " 1 7200 3600 1209600 300\n"

static void plain_data_is_answered(void **state)
{
    (void)state;
    static const struct zone_text zones[] = {
        {"example.", APEX "@ 60 MX 10 mail\n@ 60 MX 20 mail.elsewhere.\nmail 60 A 192.0.2.25\n"
                          "mail 60 AAAA 2001:db8::25\nwww 60 A 192.0.2.1\nwww 60 A 192.0.2.2\n"
                          "_sip._udp 60 SRV 1 2 5060 mail\na.b.c 60 TXT \"deep\"\n"
                          "self 60 HTTPS 1 . alpn=h2\nself 60 A 192.0.2.9\n"},
    };
    static const struct exchange exchanges[] = {
        {"www.example. A", PLAIN,
         "NOERROR aa\nan www.example. 60 A 192.0.2.1\nan www.example. 60 A 192.0.2.2\n"},
        {"example. MX", PLAIN,
         "NOERROR aa\nan example. 60 MX 10 mail.example.\nan example. 60 MX 20 mail.elsewhere.\n"
         "ad mail.example. 60 A 192.0.2.25\nad mail.example. 60 AAAA 2001:db8::25\n"},
        {"example. NS", PLAIN,
         "NOERROR aa\nan example. 3600 NS ns.example.\nad ns.example. 3600 A 192.0.2.53\n"},
        {"_sip._udp.example. SRV", PLAIN,
         "NOERROR aa\nan _sip._udp.example. 60 SRV 1 2 5060 mail.example.\n"
         "ad mail.example. 60 A 192.0.2.25\nad mail.example. 60 AAAA 2001:db8::25\n"},
        {"www.example. A", ALL_CLASSES,
         "NOERROR\nan www.example. 60 A 192.0.2.1\nan www.example. 60 A 192.0.2.2\n"},
        {"www.elsewhere. A", ALL_CLASSES, "REFUSED\n"},
        {"www.example. AAAA", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"b.c.example. TXT", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"c.example. A", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"x.b.c.example. A", PLAIN, "NXDOMAIN aa\n" SOA_OF("example.")},
        {"nothing.example. A", PLAIN, "NXDOMAIN aa\n" SOA_OF("example.")},
        {"www.elsewhere. A", PLAIN, "REFUSED\n"},
        {". NS", PLAIN, "REFUSED\n"},
        {"www.example. ANY", PLAIN,
         "NOERROR aa\nan www.example. 60 A 192.0.2.1\nan www.example. 60 A 192.0.2.2\n"},
        {"www.example. RRSIG", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
    };
    ASK(zones, exchanges);
}

static void wildcards_expand(void **state)
{
    (void)state;
    static const struct zone_text zones[] = {
        {"example.",
         APEX "* 60 TXT \"wild\"\n* 60 MX 1 host\n*.alias 60 CNAME to.far\n"
              "*.far 60 A 192.0.2.7\nhost 60 A 192.0.2.8\nsub.*.ent 60 A 192.0.2.9\n"
              "a.blocked 60 A 192.0.2.10\n*.loop 60 CNAME x.loop\n"
              "_a._tcp.host1 60 A 192.0.2.11\ncut 60 NS ns.cut\nns.cut 60 A 192.0.2.12\n"
              "*.away 60 NS far.\n"},
    };
    static const struct exchange exchanges[] = {
        {"any.example. TXT", PLAIN, "NOERROR aa\nan any.example. 60 TXT \"wild\"\n"},
        {"more.than.one.example. TXT", PLAIN,
         "NOERROR aa\nan more.than.one.example. 60 TXT \"wild\"\n"},
        {"any.example. MX", PLAIN,
         "NOERROR aa\nan any.example. 60 MX 1 host.example.\nad host.example. 60 A 192.0.2.8\n"},
        {"*.example. TXT", PLAIN, "NOERROR aa\nan *.example. 60 TXT \"wild\"\n"},
        {"any.example. A", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"host.example. TXT", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"x.host.example. TXT", PLAIN, "NXDOMAIN aa\n" SOA_OF("example.")},
        {"x.blocked.example. TXT", PLAIN, "NXDOMAIN aa\n" SOA_OF("example.")},
        {"blocked.example. TXT", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"_tcp.host1.example. TXT", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"_x._tcp.host1.example. TXT", PLAIN, "NXDOMAIN aa\n" SOA_OF("example.")},
        {"x.alias.example. A", PLAIN,
         "NOERROR aa\nan x.alias.example. 60 CNAME to.far.example.\n"
         "an to.far.example. 60 A 192.0.2.7\n"},
        {"x.alias.example. CNAME", PLAIN,
         "NOERROR aa\nan x.alias.example. 60 CNAME to.far.example.\n"},
        {"x.ent.example. A", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"sub.*.ent.example. A", PLAIN, "NOERROR aa\nan sub.*.ent.example. 60 A 192.0.2.9\n"},
        {"sub.y.ent.example. A", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"y.loop.example. A", PLAIN,
         "NOERROR aa\nan y.loop.example. 60 CNAME x.loop.example.\n"
         "an x.loop.example. 60 CNAME x.loop.example.\n"},
        /* NS at a wildcard does not delegate (RFC 4592 §4.2) */
        {"x.away.example. A", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"x.away.example. NS", PLAIN, "NOERROR aa\nan x.away.example. 60 NS far.\n"},
        {"*.away.example. A", PLAIN, "NOERROR\nns *.away.example. 60 NS far.\n"},
        {"x.cut.example. TXT", PLAIN,
         "NOERROR\nns cut.example. 60 NS ns.cut.example.\nad ns.cut.example. 60 A 192.0.2.12\n"},
    };
    ASK(zones, exchanges);
}

static void aliases_are_followed(void **state)
{
    (void)state;
    static const struct zone_text zones[] = {
        {"example.", APEX "a 60 CNAME b\nb 60 CNAME c\nc 60 A 192.0.2.3\n"
                          "gone 60 CNAME nothing\nout 60 CNAME www.elsewhere.\n"
                          "over 60 CNAME www.other.\nempty 60 CNAME ns\n"
                          "l1 60 CNAME l2\nl2 60 CNAME l1\nme 60 CNAME me\n"
                          "cut 60 NS ns.cut\nns.cut 60 A 192.0.2.12\ndown 60 CNAME x.cut\n"
                          "up.a.b.deep 60 CNAME side.a.b.deep\nside.a.b.deep 60 A 192.0.2.4\n"},
        {"other.", APEX "www 60 CNAME c.example.\n"},
    };
    static const struct exchange exchanges[] = {
        {"a.example. A", PLAIN,
         "NOERROR aa\nan a.example. 60 CNAME b.example.\nan b.example. 60 CNAME c.example.\n"
         "an c.example. 60 A 192.0.2.3\n"},
        {"a.example. CNAME", PLAIN, "NOERROR aa\nan a.example. 60 CNAME b.example.\n"},
        {"a.example. ANY", PLAIN, "NOERROR aa\nan a.example. 60 CNAME b.example.\n"},
        {"a.example. NSEC", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"a.example. RRSIG", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"gone.example. A", PLAIN,
         "NXDOMAIN aa\nan gone.example. 60 CNAME nothing.example.\n" SOA_OF("example.")},
        {"empty.example. TXT", PLAIN,
         "NOERROR aa\nan empty.example. 60 CNAME ns.example.\n" SOA_OF("example.")},
        {"out.example. A", PLAIN, "NOERROR aa\nan out.example. 60 CNAME www.elsewhere.\n"},
        {"over.example. A", PLAIN,
         "NOERROR aa\nan over.example. 60 CNAME www.other.\nan www.other. 60 CNAME c.example.\n"
         "an c.example. 60 A 192.0.2.3\n"},
        {"over.example. AAAA", PLAIN,
         "NOERROR aa\nan over.example. 60 CNAME www.other.\nan www.other. 60 CNAME c.example.\n"
         SOA_OF("example.")},
        {"l1.example. A", PLAIN,
         "NOERROR aa\nan l1.example. 60 CNAME l2.example.\nan l2.example. 60 CNAME l1.example.\n"},
        {"me.example. A", PLAIN, "NOERROR aa\nan me.example. 60 CNAME me.example.\n"},
        {"down.example. A", PLAIN,
         "NOERROR aa\nan down.example. 60 CNAME x.cut.example.\n"
         "ns cut.example. 60 NS ns.cut.example.\nad ns.cut.example. 60 A 192.0.2.12\n"},
        {"up.a.b.deep.example. A", PLAIN,
         "NOERROR aa\nan up.a.b.deep.example. 60 CNAME side.a.b.deep.example.\n"
         "an side.a.b.deep.example. 60 A 192.0.2.4\n"},
    };
    ASK(zones, exchanges);
}

static void dnames_redirect_what_is_below(void **state)
{
    (void)state;
    static const struct zone_text zones[] = {
        {"example.", APEX "old 60 DNAME new\nold 60 TXT \"own\"\nx.new 60 A 192.0.2.1\n"
                          "again 60 DNAME b.again\n"
                          "away 60 DNAME elsewhere.\n"},
        {"whole.", APEX "@ 60 DNAME new.example.\n"},
    };
    static const struct exchange exchanges[] = {
        {"x.old.example. A", PLAIN,
         "NOERROR aa\nan old.example. 60 DNAME new.example.\n"
         "an x.old.example. 60 CNAME x.new.example.\nan x.new.example. 60 A 192.0.2.1\n"},
        {"x.old.example. CNAME", PLAIN,
         "NOERROR aa\nan old.example. 60 DNAME new.example.\n"
         "an x.old.example. 60 CNAME x.new.example.\n"},
        {"y.old.example. A", PLAIN,
         "NXDOMAIN aa\nan old.example. 60 DNAME new.example.\n"
         "an y.old.example. 60 CNAME y.new.example.\n" SOA_OF("example.")},
        {"old.example. TXT", PLAIN, "NOERROR aa\nan old.example. 60 TXT \"own\"\n"},
        {"old.example. DNAME", PLAIN, "NOERROR aa\nan old.example. 60 DNAME new.example.\n"},
        {"old.example. A", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"x.away.example. A", PLAIN,
         "NOERROR aa\nan away.example. 60 DNAME elsewhere.\n"
         "an x.away.example. 60 CNAME x.elsewhere.\n"},
        {"x.whole. A", PLAIN,
         "NOERROR aa\nan whole. 60 DNAME new.example.\nan x.whole. 60 CNAME x.new.example.\n"
         "an x.new.example. 60 A 192.0.2.1\n"},
    };
    ASK(zones, exchanges);
}

static void delegations_are_referred(void **state)
{
    (void)state;
    static const struct zone_text zones[] = {
        {"example.", APEX "sub 60 NS ns.sub\nsub 60 NS ns.sib\nsub 60 NS ns\nsub 60 NS far.\n"
                          "sub 60 DS 1 13 2 "
                          "0000000000000000000000000000000000000000000000000000000000000001\n"
                          "ns.sub 60 A 192.0.2.1\nns.sub 60 AAAA 2001:db8::1\n"
                          "sib 60 NS ns.sib\nns.sib 60 A 192.0.2.2\n"
                          "below.sub 60 TXT \"occluded\"\n*.sub 60 TXT \"occluded\"\n"
                          "child 60 NS ns.child\nns.child 60 A 192.0.2.3\n"
                          "child 60 DS 2 13 2 "
                          "0000000000000000000000000000000000000000000000000000000000000002\n"},
        {"child.example.", APEX "www 60 A 192.0.2.4\ngap 60 TXT \"here\"\n"},
        {"gap.child.example.", APEX},
    };
    /* a DS RRset in a zone that is not signed is no part of referrals */
    static const char referral[] =
        "NOERROR\nns sub.example. 60 NS ns.sub.example.\nns sub.example. 60 NS ns.sib.example.\n"
        "ns sub.example. 60 NS ns.example.\nns sub.example. 60 NS far.\n"
        "ad ns.sub.example. 60 A 192.0.2.1\nad ns.sub.example. 60 AAAA 2001:db8::1\n"
        "ad ns.sib.example. 60 A 192.0.2.2\nad ns.example. 3600 A 192.0.2.53\n";
    const struct exchange exchanges[] = {
        {"sub.example. A", PLAIN, referral},
        {"sub.example. NS", PLAIN, referral},
        {"sub.example. NS", DNSSEC_OK, referral},
        {"below.sub.example. TXT", PLAIN, referral},
        {"ns.sub.example. A", PLAIN, referral},
        {"a.b.c.sub.example. DS", PLAIN, referral},
        {"sub.example. DS", PLAIN,
         "NOERROR aa\nan sub.example. 60 DS 1 13 2 "
         "0000000000000000000000000000000000000000000000000000000000000001\n"},
        {"sib.example. DS", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
        {"www.child.example. A", PLAIN, "NOERROR aa\nan www.child.example. 60 A 192.0.2.4\n"},
        {"child.example. DS", PLAIN,
         "NOERROR aa\nan child.example. 60 DS 2 13 2 "
         "0000000000000000000000000000000000000000000000000000000000000002\n"},
        {"child.example. NS", PLAIN,
         "NOERROR aa\nan child.example. 3600 NS ns.child.example.\n"
         "ad ns.child.example. 3600 A 192.0.2.53\n"},
        {"gap.child.example. DS", PLAIN, "NOERROR aa\n" SOA_OF("child.example.")},
        {"example. DS", PLAIN, "NOERROR aa\n" SOA_OF("example.")},
    };
    ASK(zones, exchanges);
}

/* NSEC RRs without signatures: enough to see which ones are chosen. */
static void nsec_proofs_are_complete(void **state)
{
    (void)state;
#define NSEC_APEX "ns example. 300 NSEC a.example. NS SOA RRSIG NSEC\n"
#define NSEC_WILD "ns *.w.example. 300 NSEC z.example. TXT RRSIG NSEC\n"
#define NSEC_ENT "ns ns.example. 300 NSEC *.w.example. A RRSIG NSEC\n"
    static const struct zone_text zones[] = {
        {"example.",
         APEX SIGNED "@ 300 NSEC a NS SOA RRSIG NSEC\na 60 A 192.0.2.1\n"
                     "a 300 NSEC cut A RRSIG NSEC\n"
              "cut 60 NS far.\ncut 300 NSEC x.ent NS RRSIG NSEC\n"
              "x.ent 60 A 192.0.2.2\nx.ent 300 NSEC *.mx.ent2 A RRSIG NSEC\n"
              "*.mx.ent2 60 CNAME a\n*.mx.ent2 300 NSEC ns CNAME RRSIG NSEC\n"
              "ns 300 NSEC *.w A RRSIG NSEC\n*.w 60 TXT \"wild\"\n*.w 300 NSEC z TXT RRSIG NSEC\n"
              "z 60 A 192.0.2.3\nz 300 NSEC @ A RRSIG NSEC\n"},
    };
    static const struct exchange exchanges[] = {
        /* RFC 4035 §3.1.3.1 */
        {"a.example. TXT", DNSSEC_OK,
         "NOERROR aa\n" SOA_OF("example.") "ns a.example. 300 NSEC cut.example. A RRSIG NSEC\n"},
        {"ent.example. TXT", DNSSEC_OK,
         "NOERROR aa\n" SOA_OF("example.")
         "ns cut.example. 300 NSEC x.ent.example. NS RRSIG NSEC\n"},
        /* §3.1.3.2: one NSEC for the name, one for the wildcard; once if they are the same */
        {"b.example. A", DNSSEC_OK,
         "NXDOMAIN aa\n" SOA_OF("example.")
         "ns a.example. 300 NSEC cut.example. A RRSIG NSEC\n" NSEC_APEX},
        {"zz.example. A", DNSSEC_OK,
         "NXDOMAIN aa\n" SOA_OF("example.")
         "ns z.example. 300 NSEC example. A RRSIG NSEC\n" NSEC_APEX},
        {"x.a.example. A", DNSSEC_OK,
         "NXDOMAIN aa\n" SOA_OF("example.") "ns a.example. 300 NSEC cut.example. A RRSIG NSEC\n"},
        /* §3.1.3.3 */
        {"q.w.example. TXT", DNSSEC_OK,
         "NOERROR aa\nan q.w.example. 60 TXT \"wild\"\n" NSEC_WILD},
        {"q.mx.ent2.example. A", DNSSEC_OK,
         "NOERROR aa\nan q.mx.ent2.example. 60 CNAME a.example.\nan a.example. 60 A 192.0.2.1\n"
         "ns *.mx.ent2.example. 300 NSEC ns.example. CNAME RRSIG NSEC\n"},
        /* §3.1.3.4 */
        {"q.w.example. A", DNSSEC_OK, "NOERROR aa\n" SOA_OF("example.") NSEC_WILD},
        {"w.example. A", DNSSEC_OK, "NOERROR aa\n" SOA_OF("example.") NSEC_ENT},
        /* §3.1.4 */
        {"x.cut.example. A", DNSSEC_OK,
         "NOERROR\nns cut.example. 60 NS far.\n"
         "ns cut.example. 300 NSEC x.ent.example. NS RRSIG NSEC\n"},
        {"cut.example. DS", DNSSEC_OK,
         "NOERROR aa\n" SOA_OF("example.")
         "ns cut.example. 300 NSEC x.ent.example. NS RRSIG NSEC\n"},
        /* without DO, nothing of all that; by type, as any other data */
        {"b.example. A", EDNS, "NXDOMAIN aa\n" SOA_OF("example.")},
        {"x.cut.example. A", EDNS, "NOERROR\nns cut.example. 60 NS far.\n"},
        {"a.example. NSEC", PLAIN,
         "NOERROR aa\nan a.example. 300 NSEC cut.example. A RRSIG NSEC\n"},
    };
    ASK(zones, exchanges);
}

/* Hashes of the zone's names, salt aabb, 2 further iterations. */
#define H_SIGNED "1rs32mkfselie1pnjd649nmohmduiqar"
#define H_ENT "1siocb04dddi9n44qbrfra3eku6ovd4n"
#define H_APEX "7c2m9hgd1rntsf6euas04tp7t6j9r79g"
#define H_A "7rk6ck7r9bj05421trgclpe1lpmqmt4j"
#define H_NS "bvmbud4pbuia83dgbspr9hvhhfi3mh17"
#define H_X_ENT "dvf022qli7albf9jbmjgh59n1u231b8u"
#define H_WILD_W "gf23kqgvol5u0vu8qflrqcoougjaa0qu"
#define H_CUTENT "hp9trqoss6v9i2kont1qbfi2htf59mal"
#define H_DEEP_CUTENT "kcpo0ih7pikani9tbm1tq6q92r1leo3n"
#define H_UNSIGNED "p28cveo7uafdmco74g44l8l0dofgnhh1"
#define H_W "tv3qccqi98hq2eo4iv0dcm9fofeno0m1"

#define NSEC3_ZONE                                                                                 \
    APEX SIGNED "@ 0 NSEC3PARAM 1 0 2 aabb\na 60 A 192.0.2.1\nx.ent 60 A 192.0.2.2\n"              \
         "*.w 60 TXT \"wild\"\nunsigned 60 NS far.\nsigned 60 NS far.\n"                           \
         "signed 60 DS 1 13 2 "                                                                    \
         "0000000000000000000000000000000000000000000000000000000000000001\n"                      \
         "deep.cutent 60 NS far.\n"

#define NSEC3(flags, owner, next, types) owner " 300 NSEC3 1 " #flags " 2 aabb " next " " types "\n"
#define PROOF(flags, owner, next, types)                                                           \
    "ns " owner ".example. 300 NSEC3 1 " #flags " 2 aabb " next types "\n"

static void nsec3_proofs_are_complete(void **state)
{
    (void)state;
    static const struct zone_text zones[] = {
        {"example.",
         NSEC3_ZONE NSEC3(0, H_SIGNED, H_ENT, "NS DS") NSEC3(0, H_ENT, H_APEX, "")
             NSEC3(0, H_APEX, H_A, "NS SOA") NSEC3(0, H_A, H_NS, "A") NSEC3(0, H_NS, H_X_ENT, "A")
                 NSEC3(0, H_X_ENT, H_WILD_W, "A") NSEC3(0, H_WILD_W, H_CUTENT, "TXT")
                     NSEC3(0, H_CUTENT, H_DEEP_CUTENT, "") NSEC3(0, H_DEEP_CUTENT, H_UNSIGNED, "NS")
                         NSEC3(0, H_UNSIGNED, H_W, "NS") NSEC3(0, H_W, H_SIGNED, "")},
    };
#define P_APEX PROOF(0, H_APEX, H_A, " NS SOA")
#define P_A PROOF(0, H_A, H_NS, " A")
#define P_CUTENT PROOF(0, H_CUTENT, H_DEEP_CUTENT, "")
#define P_DEEP PROOF(0, H_DEEP_CUTENT, H_UNSIGNED, " NS")
#define P_UNSIGNED PROOF(0, H_UNSIGNED, H_W, " NS")
#define P_W PROOF(0, H_W, H_SIGNED, "")
    static const struct exchange exchanges[] = {
        /* RFC 5155 §7.2.3, §7.2.4: the RR that matches */
        {"a.example. TXT", DNSSEC_OK, "NOERROR aa\n" SOA_OF("example.") P_A},
        {"ent.example. TXT", DNSSEC_OK,
         "NOERROR aa\n" SOA_OF("example.") PROOF(0, H_ENT, H_APEX, "")},
        {"unsigned.example. DS", DNSSEC_OK, "NOERROR aa\n" SOA_OF("example.") P_UNSIGNED},
        /* §7.2.2: closest encloser, next closer name, wildcard */
        {"nope.example. A", DNSSEC_OK,
         "NXDOMAIN aa\n" SOA_OF("example.") P_APEX P_DEEP P_UNSIGNED},
        {"x.a.example. A", DNSSEC_OK,
         "NXDOMAIN aa\n" SOA_OF("example.") P_A PROOF(0, H_X_ENT, H_WILD_W, " A") P_DEEP},
        {H_A ".example. NSEC3", DNSSEC_OK,
         "NXDOMAIN aa\n" SOA_OF("example.") P_APEX PROOF(0, H_ENT, H_APEX, "") P_UNSIGNED},
        /* §7.2.6: the next closer name */
        {"q.w.example. TXT", DNSSEC_OK, "NOERROR aa\nan q.w.example. 60 TXT \"wild\"\n" P_CUTENT},
        /* §7.2.5: and the wildcard's own */
        {"q.w.example. A", DNSSEC_OK,
         "NOERROR aa\n" SOA_OF("example.") P_W P_CUTENT PROOF(0, H_WILD_W, H_CUTENT, " TXT")},
        /* §7.2.7 */
        {"x.unsigned.example. A", DNSSEC_OK,
         "NOERROR\nns unsigned.example. 60 NS far.\n" P_UNSIGNED},
        {"x.signed.example. A", DNSSEC_OK,
         "NOERROR\nns signed.example. 60 NS far.\nns signed.example. 60 DS 1 13 2 "
         "0000000000000000000000000000000000000000000000000000000000000001\n"},
        {"nope.example. A", EDNS, "NXDOMAIN aa\n" SOA_OF("example.")},
    };
    ASK(zones, exchanges);
}

static void opted_out_delegations_are_covered(void **state)
{
    (void)state;
    static const struct zone_text zones[] = {
        {"example.",
         NSEC3_ZONE NSEC3(1, H_SIGNED, H_ENT, "NS DS") NSEC3(1, H_ENT, H_APEX, "")
             NSEC3(1, H_APEX, H_A, "NS SOA") NSEC3(1, H_A, H_NS, "A") NSEC3(1, H_NS, H_X_ENT, "A")
                 NSEC3(1, H_X_ENT, H_WILD_W, "A") NSEC3(1, H_WILD_W, H_W, "TXT")
                     NSEC3(1, H_W, H_SIGNED, "")},
    };
#define O_APEX PROOF(1, H_APEX, H_A, " NS SOA")
#define O_WILD_W PROOF(1, H_WILD_W, H_W, " TXT")
    static const struct exchange exchanges[] = {
        {"x.unsigned.example. A", DNSSEC_OK,
         "NOERROR\nns unsigned.example. 60 NS far.\n" O_APEX O_WILD_W},
        {"unsigned.example. DS", DNSSEC_OK, "NOERROR aa\n" SOA_OF("example.") O_APEX O_WILD_W},
        /* an empty non-terminal that only insecure delegations make */
        {"x.deep.cutent.example. A", DNSSEC_OK,
         "NOERROR\nns deep.cutent.example. 60 NS far.\n" O_APEX O_WILD_W},
        {"cutent.example. A", DNSSEC_OK, "NOERROR aa\n" SOA_OF("example.") O_APEX O_WILD_W},
        {"zz.cutent.example. A", DNSSEC_OK, "NXDOMAIN aa\n" SOA_OF("example.") O_APEX O_WILD_W},
    };
    ASK(zones, exchanges);
}

/* Under opt-out `*` may exist only because of an insecure delegation below it, and has no NSEC3 RR:
 * then the one that covers it shows that. */
static void an_opted_out_wildcard_is_covered(void **state)
{
    (void)state;
    static const struct zone_text zones[] = {
        {"example.", APEX SIGNED "@ 0 NSEC3PARAM 1 0 2 aabb\na 60 A 192.0.2.1\na.* 60 NS far.\n"
             NSEC3(1, H_APEX, H_A, "NS SOA") NSEC3(1, H_A, H_NS, "A") NSEC3(1, H_NS, H_APEX, "A")},
    };
    static const struct exchange exchanges[] = {
        {"n4.example. A", DNSSEC_OK,
         "NOERROR aa\n" SOA_OF("example.") PROOF(1, H_APEX, H_A, " NS SOA")
             PROOF(1, H_A, H_NS, " A") PROOF(1, H_NS, H_APEX, " A")},
    };
    ASK(zones, exchanges);
}

static void the_server_tells_of_itself_what_it_may(void **state)
{
    (void)state;
    static const struct zone_text zones[] = {{"example.", APEX}};
    static const struct exchange exchanges[] = {
        {"id.server. TXT", CHAOS, "NOERROR aa\nan id.server. 0 TXT \"ns1\"\n"},
        {"HostName.Bind. TXT", CHAOS, "NOERROR aa\nan HostName.Bind. 0 TXT \"ns1\"\n"},
        {"worker.sorrel. ANY", CHAOS,
         "NOERROR aa\nan worker.sorrel. 0 TXT \"worker 2 of 4 pid 1234\"\n"},
        {"version.bind. TXT", CHAOS, "REFUSED\n"},
        {"version.server. TXT", CHAOS, "REFUSED\n"},
        {"id.server. A", CHAOS, "REFUSED\n"},
        {"example. SOA", CHAOS, "REFUSED\n"},
        {"id.server. TXT", PLAIN, "REFUSED\n"},
    };
    ASK(zones, exchanges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_data_is_answered),
        cmocka_unit_test(wildcards_expand),
        cmocka_unit_test(aliases_are_followed),
        cmocka_unit_test(dnames_redirect_what_is_below),
        cmocka_unit_test(delegations_are_referred),
        cmocka_unit_test(the_server_tells_of_itself_what_it_may),
        cmocka_unit_test(nsec_proofs_are_complete),
        cmocka_unit_test(nsec3_proofs_are_complete),
        cmocka_unit_test(opted_out_delegations_are_covered),
        cmocka_unit_test(an_opted_out_wildcard_is_covered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
