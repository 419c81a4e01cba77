#include "promises.h"

#include "answer/answer.h"
#include "answer/transfer.h"
#include "fuzz.h"
#include "message/codes.h"
#include "message/wire.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

struct exchange {
    struct client client;
    const uint8_t *query;
    size_t query_length;
    const uint8_t *reply;
    size_t reply_length;
    struct answer_settings settings;
    struct answer_report report;
};

static void check_header(const struct exchange *this)
{
    const uint8_t *query = this->query;
    const uint8_t *reply = this->reply;

    FUZZ_ASSERT(this->reply_length >= WIRE_HEADER_SIZE);
    FUZZ_ASSERT(memcmp(reply, query, 2) == 0);
    FUZZ_ASSERT((reply[2] & 0x79) == (query[2] & 0x79));
    FUZZ_ASSERT((reply[3] & 0xf0) == (query[3] & 0x10));
    FUZZ_ASSERT((reply[3] & 0x0f) == (this->report.rcode & 0x0f));
    FUZZ_ASSERT(((reply[2] & 0x02) != 0) == this->report.truncated);
    FUZZ_ASSERT(this->report.rcode <= 0x0f || this->report.edns); /* the rest is in OPT */
}

/* The size that the query announces (RFC 6891 §6.2.5), as ldns reads it. */
static size_t announced_size(const struct exchange *this)
{
    size_t size = WIRE_MESSAGE_MAX;
    ldns_pkt *query;

    if (!this->report.edns)
        return WIRE_UDP_PLAIN_MAX;
    if (ldns_wire2pkt(&query, this->query, this->query_length) != LDNS_STATUS_OK)
        return size;
    if (ldns_pkt_edns(query))
        size = ldns_pkt_edns_udp_size(query);
    ldns_pkt_free(query);
    return size > WIRE_UDP_PLAIN_MAX ? size : WIRE_UDP_PLAIN_MAX;
}

static void check_size(const struct exchange *this)
{
    if (this->client.transport != TRANSPORT_UDP)
        return;
    FUZZ_ASSERT(this->reply_length <= this->settings.udp_payload_max);
    FUZZ_ASSERT(this->reply_length <= announced_size(this));
}

static void check_question(const struct exchange *this, const ldns_pkt *reply)
{
    size_t count = ldns_pkt_qdcount(reply);

    FUZZ_ASSERT(count <= 1);
    FUZZ_ASSERT((count == 0) == (this->report.qtype == 0 && this->reply[5] == 0));
    if (count == 0)
        return;
    size_t name =
        name_measure(this->reply + WIRE_HEADER_SIZE, this->reply_length - WIRE_HEADER_SIZE);
    FUZZ_ASSERT(name > 0);
    FUZZ_ASSERT(this->query_length >= WIRE_HEADER_SIZE + name + 4);
    FUZZ_ASSERT(memcmp(this->reply + WIRE_HEADER_SIZE, this->query + WIRE_HEADER_SIZE, name + 4) ==
                0);
}

/* RFC 4035 §3.1: no RRs of DNSSEC that were not asked for. */
static void check_kind(const struct exchange *this, const ldns_rr *rr)
{
    ldns_rr_type type = ldns_rr_get_type(rr);
    uint16_t qtype = this->report.qtype;

    if (type == LDNS_RR_TYPE_RRSIG || type == LDNS_RR_TYPE_NSEC || type == LDNS_RR_TYPE_NSEC3)
        FUZZ_ASSERT(this->report.dnssec_ok || qtype == type || qtype == TYPE_ANY);
}

static void check_records(const struct exchange *this, const ldns_rr_list *list)
{
    enum { COMPARED_MAX = 40 };
    size_t count = ldns_rr_list_rr_count(list);

    for (size_t i = 0; i < count; i++) {
        check_kind(this, ldns_rr_list_rr(list, i));
        for (size_t j = 0; j < i && count <= COMPARED_MAX; j++)
            FUZZ_ASSERT(ldns_rr_compare(ldns_rr_list_rr(list, i), ldns_rr_list_rr(list, j)) != 0);
    }
}

/* A cookie is the client's own half, and one that we know again. */
static void check_cookie(const struct exchange *this, const uint8_t *cookie, size_t length)
{
    const struct answer_settings *settings = &this->settings;
    uint8_t next[COOKIE_SIZE];

    FUZZ_ASSERT(length == COOKIE_SIZE);
    FUZZ_ASSERT(memmem(this->query, this->query_length, cookie, COOKIE_CLIENT_SIZE) != NULL);
    FUZZ_ASSERT(cookie_check(settings->cookies, &this->client, settings->now, cookie, length,
                             next) == COOKIE_VALID);
}

/* Of which kind an option is, as a bit; aborts if it is none that may be sent. */
static unsigned check_option(const struct exchange *this, uint16_t code, const uint8_t *data,
                             size_t length)
{
    const struct answer_settings *settings = &this->settings;

    switch (code) {
    case OPTION_NSID:
        FUZZ_ASSERT(settings->nsid != NULL && length == settings->nsid_length &&
                    memcmp(data, settings->nsid, length) == 0);
        return 1;
    case OPTION_COOKIE:
        check_cookie(this, data, length);
        return 2;
    case OPTION_TCP_KEEPALIVE:
        FUZZ_ASSERT(this->client.transport == TRANSPORT_TCP && length == 2 &&
                    wire_read_u16(data) == settings->keepalive);
        return 4;
    case OPTION_EDE:
        FUZZ_ASSERT(length == 2 && this->report.rcode != RCODE_NOERROR);
        return 8;
    default:
        fuzz_fail(__FILE__, __LINE__, "an option that may be sent");
    }
}

static void check_options(const struct exchange *this, const ldns_pkt *reply)
{
    const ldns_rdf *rdf = ldns_pkt_edns_data(reply);
    const uint8_t *at = rdf != NULL ? ldns_rdf_data(rdf) : NULL;
    size_t left = rdf != NULL ? ldns_rdf_size(rdf) : 0;
    unsigned seen = 0;

    while (left > 0) {
        FUZZ_ASSERT(left >= 4 && left - 4 >= wire_read_u16(at + 2));
        size_t length = wire_read_u16(at + 2);
        unsigned kind = check_option(this, wire_read_u16(at), at + 4, length);
        FUZZ_ASSERT((seen & kind) == 0);
        seen |= kind;
        at += 4 + length;
        left -= 4 + length;
    }
    FUZZ_ASSERT(((seen & 2) != 0) == (this->report.cookie != COOKIE_ABSENT));
}

/* Whom no zone is for gets nothing from any. */
static void check_access(const struct exchange *this, const ldns_pkt *reply)
{
    const struct access *access = this->settings.access;

    if (access == NULL || prefix_list_covers(&access->others->networks, &this->client))
        return;
    FUZZ_ASSERT(this->report.kind == ANSWER_ERROR);
    FUZZ_ASSERT(ldns_pkt_ancount(reply) == 0 ||
                ldns_rr_get_class(ldns_rr_list_rr(ldns_pkt_answer(reply), 0)) == LDNS_RR_CLASS_CH);
    FUZZ_ASSERT(ldns_pkt_nscount(reply) == 0);
}

static void check_content(const struct exchange *this)
{
    ldns_pkt *reply;

    FUZZ_ASSERT(ldns_wire2pkt(&reply, this->reply, this->reply_length) == LDNS_STATUS_OK);
    FUZZ_ASSERT(ldns_pkt_edns(reply) == this->report.edns);
    check_question(this, reply);
    check_records(this, ldns_pkt_answer(reply));
    check_records(this, ldns_pkt_authority(reply));
    check_records(this, ldns_pkt_additional(reply));
    check_options(this, reply);
    check_access(this, reply);
    if (this->report.truncated)
        FUZZ_ASSERT(ldns_pkt_ancount(reply) + ldns_pkt_nscount(reply) == 0);
    ldns_pkt_free(reply);
}

/* The same reply to what is the same query, asked differently? */
static void check_same(const struct exchange *this, const struct answer_settings *settings,
                       const uint8_t *query, size_t query_length, size_t room)
{
    struct answer_report report;
    uint8_t *reply = malloc(room);

    FUZZ_ASSERT(reply != NULL);
    size_t length = answer(settings, &this->client, query, query_length, reply, room, &report);
    FUZZ_ASSERT(length == this->reply_length);
    FUZZ_ASSERT(memcmp(reply, this->reply, length) == 0);
    FUZZ_ASSERT(report.rcode == this->report.rcode && report.truncated == this->report.truncated &&
                report.qtype == this->report.qtype && report.verdict == this->report.verdict);
    FUZZ_ASSERT(report.kind == this->report.kind && report.source == this->report.source);
    free(reply);
}

/* Where the zone is that of some query before. */
static void check_recent(const struct exchange *this, size_t room)
{
    static struct answer_recent recent;
    static const struct table *table;
    struct answer_settings settings = this->settings;

    if (settings.table != table)
        recent = (struct answer_recent){0};
    table = settings.table;
    settings.recent = &recent;
    check_same(this, &settings, this->query, this->query_length, room);
}

/* What takes the place of an answer that limits hold back: no records, and small. */
static void check_slip(const struct exchange *this, size_t room)
{
    struct exchange slip = *this;
    struct answer_task task;
    uint8_t *reply = malloc(room);
    ldns_pkt *decoded;

    FUZZ_ASSERT(reply != NULL);
    if (answer_begin(&task, &slip.settings, slip.query, slip.query_length))
        answer_look_ahead(&task, &slip.settings);
    answer_look_into_zone(&task, &slip.settings);
    answer_look_closer(&task);
    size_t length = answer_finish(&task, &slip.settings, &slip.client, reply, room, &slip.report);
    FUZZ_ASSERT(length == this->reply_length && memcmp(reply, this->reply, length) == 0);
    slip.reply = reply;
    slip.reply_length = answer_slip(&task, &slip.settings, &slip.client, reply, &slip.report);
    FUZZ_ASSERT(slip.reply_length <= WIRE_UDP_PLAIN_MAX);
    check_header(&slip);
    FUZZ_ASSERT(ldns_wire2pkt(&decoded, reply, slip.reply_length) == LDNS_STATUS_OK);
    FUZZ_ASSERT(wire_read_u32(reply + 6) == 0 && wire_read_u16(reply + 10) == slip.report.edns);
    ldns_pkt_free(decoded);
    free(reply);
}

/* Options of EDNS, even one that nobody knows, keep the query off the short way that answer.c has
 * for plain ones. */
static void check_long_way(const struct exchange *this, size_t room)
{
    static const uint8_t unknown_option[] = {0xfd, 0xe9, 0, 0};
    enum { OPT = 1 + WIRE_RR_FIXED_SIZE };
    size_t length = this->query_length;
    size_t question = name_measure(this->query + WIRE_HEADER_SIZE, length - WIRE_HEADER_SIZE) + 4;

    if (this->report.verdict != QUERY_ANSWER || length != WIRE_HEADER_SIZE + question + OPT ||
        !this->report.edns)
        return;
    uint8_t *query = malloc(length + sizeof unknown_option);
    FUZZ_ASSERT(query != NULL);
    memcpy(query, this->query, length);
    wire_write_u16(query + length - 2, sizeof unknown_option);
    memcpy(query + length, unknown_option, sizeof unknown_option);
    check_same(this, &this->settings, query, length + sizeof unknown_option, room);
    free(query);
}

/* Every message of a transfer is a reply by itself; both ends are the SOA. */
static void check_transfer(struct exchange *this, uint8_t *message)
{
    const struct answer_settings *settings = &this->settings;
    struct transfer transfer;
    uint32_t records = 0;

    transfer_begin(&transfer, settings->table, settings->keys, this->query, this->query_length,
                   settings->udp_payload_max);
    while (!transfer_has_ended(&transfer)) {
        ldns_pkt *packet;
        this->reply_length = transfer_next(&transfer, settings->now, message);
        check_header(this);
        FUZZ_ASSERT(ldns_wire2pkt(&packet, message, this->reply_length) == LDNS_STATUS_OK);
        const ldns_rr_list *answer = ldns_pkt_answer(packet);
        size_t count = ldns_rr_list_rr_count(answer);
        FUZZ_ASSERT(count > 0);
        if (records == 0 || transfer_has_ended(&transfer))
            FUZZ_ASSERT(ldns_rr_get_type(ldns_rr_list_rr(answer, records == 0 ? 0 : count - 1)) ==
                        LDNS_RR_TYPE_SOA);
        records += (uint32_t)count;
        ldns_pkt_free(packet);
    }
    FUZZ_ASSERT(records == transfer.zone->record_count + 1);
}

static void ask(struct exchange *this)
{
    bool tcp = this->client.transport == TRANSPORT_TCP;
    size_t room = tcp ? WIRE_MESSAGE_MAX : this->settings.udp_payload_max;
    bool silent = this->query_length < WIRE_HEADER_SIZE || this->query[2] & 0x80;
    uint8_t *reply = malloc(room);

    FUZZ_ASSERT(reply != NULL);
    this->reply = reply;
    this->reply_length = answer(&this->settings, &this->client, this->query, this->query_length,
                                reply, room, &this->report);
    if (this->report.kind == ANSWER_TRANSFER) {
        FUZZ_ASSERT(this->reply_length == 0 && tcp && !silent);
        check_transfer(this, reply);
        free(reply);
        return;
    }
    FUZZ_ASSERT((this->reply_length == 0) == silent);
    FUZZ_ASSERT(this->reply_length <= room);
    if (!silent) {
        check_header(this);
        check_size(this);
        check_content(this);
        check_recent(this, room);
        check_long_way(this, room);
        check_slip(this, room);
    }
    free(reply);
}

/* Rules by which everyone may ask, or nobody. */
static const struct access *choose_access(unsigned choice)
{
    static struct prefix any[] = {{.length = 4}, {.length = 16}};
    static const struct access_list everyone = {.networks = {any, 2}}, nobody;
    static const struct access open = {.others = &everyone}, closed = {.others = &nobody};

    switch (choice & 3) {
    case 1:
        return &open;
    case 2:
        return &closed;
    default:
        return NULL;
    }
}

void promises_check(const struct table *table, uint16_t choice, const uint8_t *query,
                    size_t query_length)
{
    static const uint16_t ceilings[] = {512, 1232, 4096, 65535};
    static const struct cookie_secrets secrets = {.count = 2};
    static const uint8_t nsid[ANSWER_NSID_MAX] = "worker 3";
    static const struct chaos told = {"ns1.example", "sorrel", "worker 3 of 4 pid 1234"};
    struct exchange this = {
        .client = {.transport = choice & 4 ? TRANSPORT_TCP : TRANSPORT_UDP,
                   .length = choice & 32 ? 16 : 4,
                   .address = {192, 0, 2, 1}},
        .query = query,
        .query_length = query_length,
        .settings = {.table = table,
                     .udp_payload_max = ceilings[choice & 3],
                     .keepalive = choice & 8 ? 300 : 0,
                     .nsid = choice & 16 ? nsid : NULL,
                     .nsid_length = sizeof nsid,
                     .cookies = choice & 64 ? &secrets : NULL,
                     .cookies_required = choice & 128,
                     .now = 1700000000,
                     .access = choose_access(choice >> 8),
                     .transfers = choose_access(choice >> 11),
                     .chaos = choice & 1024 ? told : (struct chaos){0}},
    };

    ask(&this);
}
