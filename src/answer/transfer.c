#include "answer/transfer.h"

#include "message/codes.h"
#include "message/wire.h"
#include "table/hash.h"

#include <assert.h>
#include <string.h>

/* --- who gets what ------------------------------------------------------------------- */

/* Only an apex names a zone (RFC 5936 §2.1.1). */
static const struct table_section *find_zone(const struct table *table, const struct query *query,
                                             const struct name *qname)
{
    uint64_t hashes[NAME_LABELS_MAX + 1];

    if (query->qclass != CLASS_IN)
        return NULL;
    hash_name(qname, table->header->seed, hashes);
    return table_find_zone(table, qname, qname->labels, hashes[qname->labels]);
}

/* Is the first serial the second or after it (RFC 1982 §3.2)? */
static bool is_as_new(uint32_t serial, uint32_t as)
{
    return serial - as < UINT32_C(1) << 31;
}

static struct transfer_verdict refuse(uint16_t rcode, int ede)
{
    return (struct transfer_verdict){.rcode = rcode, .ede = ede};
}

struct transfer_verdict transfer_judge(const struct transfer_terms *terms,
                                       const struct client *client, const struct query *query,
                                       const struct name *qname, const uint8_t *wire)
{
    bool is_incremental = query->qtype == TYPE_IXFR, is_udp = client->transport == TRANSPORT_UDP;

    /* RFC 5936 §4.2: not defined. */
    if (is_udp && !is_incremental)
        return refuse(RCODE_REFUSED, EDE_NOT_SUPPORTED);
    struct transfer_verdict verdict = {
        .zone = find_zone(terms->table, query, qname), .rcode = RCODE_NOERROR, .ede = EDE_NONE};
    if (verdict.zone == NULL)
        return refuse(RCODE_NOTAUTH, EDE_NOT_AUTHORITATIVE);
    if (!access_grants(terms->access, verdict.zone, client,
                       terms->key != NULL ? &terms->key->name : NULL))
        return refuse(RCODE_REFUSED, EDE_PROHIBITED);
    if (is_incremental && query->serial == 0)
        return refuse(RCODE_FORMERR, EDE_NONE);
    verdict.whole = !is_udp && !(is_incremental && is_as_new(wire_read_u32(wire + query->serial),
                                                             verdict.zone->serial));
    if (verdict.whole && verdict.zone->flags & SECTION_INCOMPLETE)
        return refuse(RCODE_SERVFAIL, EDE_NOT_SUPPORTED);
    if (verdict.whole && terms->busy)
        return refuse(RCODE_SERVFAIL, EDE_NOT_READY);
    return verdict;
}

/* --- RRs ------------------------------------------------------------------------------- */

bool transfer_put_soa(struct response *response, const struct table_section *zone)
{
    const struct table_node *node = section_node(zone, zone->apex);
    struct record_owner apex = {.labels = node_owner(node), .at = WIRE_HEADER_SIZE};
    struct record_position start = {0};
    struct rrset soa;
    bool found = node_find_rrset(zone, node, TYPE_SOA, &soa);

    assert(found);
    (void)found;
    return record_put(response, &apex, &soa.rrs, &soa.rrs, &start);
}

/* Of the RRset that is under way. */
static const struct fragment *part_of(const struct rrset *rrset, uint32_t part)
{
    switch (part) {
    case TRANSFER_RRS:
        return &rrset->rrs;
    case TRANSFER_SIGNATURES:
        return &rrset->signatures;
    default:
        return &rrset->glue;
    }
}

/* Writes what is left of the RRset. False if the message is full. */
static bool put_rrset(struct transfer *transfer, struct response *response,
                      struct record_owner *owner, const struct rrset *rrset)
{
    /* The SOA's place is at both ends, but its signatures' is here. */
    if (rrset->type == TYPE_SOA && owner->labels_length == 0 && transfer->part == TRANSFER_RRS)
        transfer->part = TRANSFER_SIGNATURES;
    for (; transfer->part < TRANSFER_PARTS; transfer->part++) {
        const struct fragment *run = part_of(rrset, transfer->part);
        while (transfer->position.octet < run->length)
            if (!record_put(response, owner, &rrset->rrs, run, &transfer->position))
                return false;
        transfer->position = (struct record_position){0};
    }
    transfer->part = TRANSFER_RRS;
    transfer->rrset++;
    return true;
}

/* Addresses that are stored with a cut, too, are sent from there. */
static bool is_sent(const struct table_node *node)
{
    return (node->flags & NODE_EMBEDDED) == 0;
}

/* Writes what is left of the node's RRsets, and goes to what lies behind it. False likewise. */
static bool put_node(struct transfer *transfer, struct response *response,
                     const struct table_node *node)
{
    struct rrset_walk walk = node_rrsets(transfer->zone, node);
    struct record_owner owner = {.labels = node_owner(node), .labels_length = node->owner_length};
    struct rrset rrset;

    for (uint32_t i = 0; rrset_next(&walk, &rrset); i++)
        if (i == transfer->rrset && is_sent(node)) {
            if (!put_rrset(transfer, response, &owner, &rrset))
                return false;
        }
    size_t end = (size_t)(walk.next - (const uint8_t *)transfer->zone);
    transfer->node = (end + TABLE_UNIT - 1) / TABLE_UNIT * TABLE_UNIT;
    transfer->rrset = 0;
    return true;
}

static bool is_filler(const struct table_node *node)
{
    uint64_t octets;

    memcpy(&octets, node, sizeof octets);
    return octets == 0;
}

/* Writes what is left of all nodes. False likewise. */
static bool put_nodes(struct transfer *transfer, struct response *response)
{
    while (transfer->node < transfer->zone->length) {
        const struct table_node *node =
            (const void *)((const uint8_t *)transfer->zone + transfer->node);
        if (is_filler(node))
            transfer->node += TABLE_UNIT;
        else if (!put_node(transfer, response, node))
            return false;
    }
    return true;
}

/* --- messages ---------------------------------------------------------------------------- */

void transfer_begin(struct transfer *transfer, const struct table *table,
                    const struct tsig_keys *keys, const uint8_t *query, size_t length,
                    uint16_t payload)
{
    struct query parsed;
    struct name qname;
    enum query_verdict verdict = query_parse(&parsed, &qname, query, length);

    assert(verdict == QUERY_TRANSFER);
    (void)verdict;
    *transfer = (struct transfer){.zone = find_zone(table, &parsed, &qname),
                                  .with_opt = parsed.edns,
                                  .dnssec_ok = parsed.dnssec_ok,
                                  .payload = payload,
                                  .asked_cookie = parsed.cookie,
                                  .asked_cookie_length = parsed.cookie_length,
                                  .question_length = parsed.question_length};
    assert(transfer->zone != NULL);
    transfer->node = (uint64_t)transfer->zone->nodes * TABLE_UNIT;
    memcpy(transfer->query, query, WIRE_HEADER_SIZE + (size_t)parsed.question_length);
    if (parsed.tsig == 0)
        return;
    transfer->is_signed = tsig_read(&transfer->tsig, keys, 0, query, length, parsed.tsig);
    assert(transfer->is_signed && transfer->tsig.key != NULL);
    transfer->tsig.error = TSIG_NO_ERROR; /* the time was right when it was judged */
}

void transfer_add_cookie(struct transfer *transfer, const struct cookie_secrets *secrets,
                         const struct client *client, uint32_t now, const uint8_t *query)
{
    if (transfer->asked_cookie_length == 0)
        return;
    cookie_check(secrets, client, now, query + transfer->asked_cookie,
                 transfer->asked_cookie_length, transfer->cookie);
    transfer->with_cookie = true;
}

/* Goes on where the last message ended, until this one is full or the transfer at its end. */
static void fill(struct transfer *transfer, struct response *response)
{
    if (transfer->stage == TRANSFER_START) {
        transfer_put_soa(response, transfer->zone);
        transfer->stage = TRANSFER_NODES;
    }
    if (transfer->stage == TRANSFER_NODES && put_nodes(transfer, response))
        transfer->stage = TRANSFER_LAST;
    if (transfer->stage == TRANSFER_LAST && transfer_put_soa(response, transfer->zone))
        transfer->stage = TRANSFER_ENDED;
}

/*
 * Past 16 KiB names cannot be pointed to, and are written in full again and again. Measured: the
 * root zone takes 617,327 octets in 38 messages, and 711,270 in 11 of 64 KiB; and BIND's clients
 * read a million A RRs in 0.9 s, and in 1.6 s from those. Only what is larger by itself gets more
 * room.
 */
enum { MESSAGE_LIMIT = WIRE_POINTER_MAX + 1 };

size_t transfer_next(struct transfer *transfer, uint64_t now, uint8_t *wire)
{
    bool with_opt = transfer->with_opt && transfer->stage == TRANSFER_START;
    const struct edns edns = {.present = with_opt,
                              .dnssec_ok = transfer->dnssec_ok,
                              .payload = transfer->payload,
                              .ede = EDE_NONE,
                              .cookie = transfer->with_cookie ? transfer->cookie : NULL};
    size_t room = edns_length(&edns) + (transfer->is_signed ? tsig_length(&transfer->tsig) : 0);
    struct response response;

    assert(!transfer_has_ended(transfer));
    response_begin(&response, wire, MESSAGE_LIMIT - room, transfer->query,
                   transfer->question_length);
    fill(transfer, &response);
    if (response.counts[SECTION_ANSWER] == 0) {
        response.limit = (uint32_t)(WIRE_MESSAGE_MAX - room);
        fill(transfer, &response);
    }
    /* The table holds no RR that does not fit into a message of its own; but beside a signature? */
    if (response.counts[SECTION_ANSWER] == 0) {
        assert(transfer->is_signed);
        return 0;
    }
    size_t length = response_finish(&response, FLAG_AA, &edns, RCODE_NOERROR);
    return transfer->is_signed ? tsig_sign(&transfer->tsig, now, wire, length) : length;
}
