#include "answer/answer.h"

#include "answer/denial.h"
#include "answer/transfer.h"
#include "message/codes.h"
#include "message/response.h"
#include "table/hash.h"

#include <assert.h>
#include <string.h>

enum {
    /* Aliases followed in one response. Peers stop at 5, 12 and more than 20; a chain that long is
     * a mistake in the zone, and what bounds it here is the work that one query may cause. */
    ALIASES_MAX = 20,
};

/* One owner name of the answer section: QNAME, or the target of an alias. */
struct step {
    uint64_t hash;                    /* of the name: a chain that returns to it is a loop */
    uint32_t owner;                   /* message offset of the name */
    const struct table_section *zone; /* set, with encloser_labels, where a wildcard was expanded */
    uint8_t encloser_labels;
    const struct table_node *dname; /* whose DNAME led on from here */
    uint32_t dname_target;          /* message offset its target is written at */
};

/* A response in the making. */
struct reply {
    struct response response;
    const struct answer_settings *settings;
    const struct client *client;
    struct answer_task *task; /* the asked name is replaced as aliases are followed */
    struct match match;
    uint32_t owner; /* message offset of the name now asked for */
    uint16_t rcode;
    struct place place; /* of the RRset whose additional data is due; owner 0: of none */
    bool authoritative;
    bool dnssec_ok;
    unsigned steps;
    struct step chain[ALIASES_MAX + 1];
};

/* --- putting RRsets -------------------------------------------------------------------------- */

/* The message offset of the apex of the zone matched, which ends the name asked for. 0 for the
 * root: it is shorter written out. */
static uint32_t apex_offset(const struct reply *reply)
{
    unsigned apex_length = reply->match.zone->apex_length;

    if (apex_length == 1)
        return 0;
    return response_suffix(&reply->response, reply->owner,
                           reply->task->asked.name.length - apex_length);
}

/* The place of RRs that the name asked for owns. */
static struct place place_of_name(const struct reply *reply)
{
    struct place place = {.owner = reply->owner};

    if (reply->match.synthesised)
        place.skip = (uint8_t)(reply->task->asked.name.length -
                               node_name_length(reply->match.zone, reply->match.node));
    return place;
}

/* The place of RRs owned by the suffix of that name with `labels` labels. */
static struct place place_of_suffix(const struct reply *reply, unsigned labels)
{
    const struct name *name = &reply->task->asked.name;
    unsigned first = (unsigned)name->labels - labels;

    return (struct place){.owner =
                              response_suffix(&reply->response, reply->owner, name->offset[first])};
}

static bool put(struct reply *reply, enum section section, const struct rrset *rrset,
                struct place *place)
{
    bool with_signatures = reply->dnssec_ok && rrset->signatures.count > 0;

    return !rrset->oversize && response_put(&reply->response, section, &rrset->rrs,
                                            with_signatures ? &rrset->signatures : NULL, place);
}

/* Adds an address RRset of a target. It is optional: what does not fit is left out
 * (RFC 2181 §9). */
static void put_address(struct reply *reply, const struct table_node *node, uint16_t type,
                        struct place *place)
{
    struct rrset rrset;

    if (node_find_rrset(reply->match.zone, node, type, &rrset))
        put(reply, SECTION_ADDITIONAL, &rrset, place);
}

/* Adds the addresses of names in the RDATA of `rrset`, which was put at `place`
 * (RFC 1034 §4.3.2 step 6). */
static void put_additional(struct reply *reply, const struct rrset *rrset,
                           const struct place *place)
{
    const struct table_section *zone = reply->match.zone;

    for (unsigned i = 0; i < rrset->target_count; i++) {
        const struct table_target *target = &rrset->targets[i];
        const struct table_node *node = section_node(zone, target_node(target));
        struct place at = {.labels = node_owner(node),
                           .labels_length = node->owner_length,
                           .apex = apex_offset(reply),
                           .apex_name = section_apex_name(zone),
                           .apex_length = zone->apex_length};
        if (target->owner != 0)
            at.owner = response_resolve(&reply->response, &rrset->rrs, place, target->owner);
        put_address(reply, node, TYPE_A, &at);
        put_address(reply, node, TYPE_AAAA, &at);
    }
}

/* --- answer section -------------------------------------------------------------------------- */

/* RFC 8482 §4.1: of all the RRsets, one. */
static bool put_any(struct reply *reply)
{
    struct rrset_walk walk = node_rrsets(reply->match.zone, reply->match.node);
    struct place place = place_of_name(reply);
    struct rrset rrset;

    return rrset_next(&walk, &rrset) && put(reply, SECTION_ANSWER, &rrset, &place);
}

/* QTYPE RRSIG: the signatures of all RRsets are the RRset asked for. */
static bool put_signatures(struct reply *reply)
{
    struct rrset_walk walk = node_rrsets(reply->match.zone, reply->match.node);
    struct rrset rrset;

    while (rrset_next(&walk, &rrset)) {
        struct place place = place_of_name(reply);
        if (rrset.signatures.count > 0 &&
            !response_put_run(&reply->response, SECTION_ANSWER, &rrset.signatures,
                              &rrset.signatures, &place))
            return false;
    }
    return true;
}

static bool put_answer(struct reply *reply)
{
    if (reply->task->query.qtype == TYPE_ANY)
        return put_any(reply);
    if (reply->task->query.qtype == TYPE_RRSIG)
        return put_signatures(reply);
    /* The place is kept for put_additional(): the authority section comes before it. */
    reply->place = place_of_name(reply);
    return put(reply, SECTION_ANSWER, &reply->match.rrset, &reply->place);
}

static void begin_step(struct reply *reply)
{
    const struct asked *asked = &reply->task->asked;

    reply->chain[reply->steps++] =
        (struct step){.hash = asked->hashes[asked->name.labels], .owner = reply->owner};
}

static bool was_asked_before(const struct reply *reply)
{
    const struct asked *asked = &reply->task->asked;

    for (unsigned i = 0; i < reply->steps; i++)
        if (reply->chain[i].hash == asked->hashes[asked->name.labels])
            return true;
    return false;
}

static struct step *this_step(struct reply *reply)
{
    return &reply->chain[reply->steps - 1];
}

static void note_wildcard(struct reply *reply)
{
    if (reply->match.synthesised) {
        this_step(reply)->zone = reply->match.zone;
        this_step(reply)->encloser_labels = (uint8_t)reply->match.labels;
    }
}

/* Makes the name written at `offset` the one asked for. */
static void ask_name_at(struct reply *reply, uint32_t offset)
{
    struct asked *asked = &reply->task->asked;

    response_read_name(&reply->response, offset, &asked->name);
    hash_name(&asked->name, reply->settings->table->header->seed, asked->hashes);
    reply->owner = offset;
}

/* Copies the CNAME RRset and asks for its target (RFC 1034 §4.3.2 step 3a). */
static bool put_alias(struct reply *reply)
{
    struct place place = place_of_name(reply);

    note_wildcard(reply);
    if (!put(reply, SECTION_ANSWER, &reply->match.rrset, &place))
        return false;
    ask_name_at(reply, place.rdata);
    return true;
}

/* Puts the DNAME RRset, unless an earlier step did; returns the offset of its target, or 0. */
static uint32_t put_dname_once(struct reply *reply)
{
    struct place place = place_of_suffix(reply, reply->match.labels);

    for (unsigned i = 0; i < reply->steps; i++)
        if (reply->chain[i].dname == reply->match.node)
            return reply->chain[i].dname_target;
    if (!put(reply, SECTION_ANSWER, &reply->match.rrset, &place))
        return 0;
    return place.rdata;
}

/* RFC 6672 §3.2: substitutes the target for the DNAME's owner at the end of the name asked for, and
 * asks for the result. Sets YXDOMAIN if that is too long for a name. */
static bool put_dname(struct reply *reply)
{
    struct name *name = &reply->task->asked.name;
    const struct fragment *dname = &reply->match.rrset.rrs;
    unsigned prefix = name->offset[(unsigned)name->labels - reply->match.labels];
    bool too_long = prefix + fragment_rdata_length(dname) > NAME_OCTETS_MAX;
    uint32_t target, rdata;

    if (too_long)
        reply->rcode = RCODE_YXDOMAIN;
    target = put_dname_once(reply);
    if (target == 0)
        return false;
    this_step(reply)->dname = reply->match.node;
    this_step(reply)->dname_target = target;
    if (too_long)
        return true;
    uint8_t labels[NAME_OCTETS_MAX];
    response_copy_name(&reply->response, reply->owner, labels);
    if (!response_put_cname(&reply->response, reply->owner, fragment_ttl(dname), labels, prefix,
                            target, &rdata))
        return false;
    ask_name_at(reply, rdata);
    return true;
}

/* A synthesised CNAME is what such a question asked for. */
static bool takes_alias(uint16_t qtype)
{
    return qtype == TYPE_CNAME || qtype == TYPE_ANY;
}

/*
 * Fills the answer section: follows aliases within the served zones until there is something other
 * than an alias to say; reply->match then holds what that is. False if there was no room.
 *
 * *complete is set if the answer section is all there is to the response: the chain left our zones,
 * ran into itself or became too long, or a name could not be made.
 */
static bool put_answers(struct reply *reply, bool *complete)
{
    uint16_t qtype = reply->task->query.qtype;
    struct asked *asked = &reply->task->asked;
    const struct table_section *zone = reply->task->zone;
    struct closest closest = reply->task->closest;

    *complete = false;
    for (;;) {
        begin_step(reply);
        lookup_find(zone, asked, &closest, qtype, &reply->match);
        if (reply->match.kind == MATCH_ANSWER) {
            note_wildcard(reply);
            return put_answer(reply);
        }
        if (reply->match.kind != MATCH_ALIAS && reply->match.kind != MATCH_DNAME)
            return true;
        if (!(reply->match.kind == MATCH_ALIAS ? put_alias(reply) : put_dname(reply)))
            return false;
        zone = lookup_zone(reply->settings->table, asked, qtype);
        if (zone != NULL && !access_allows(reply->settings->access, zone, reply->client))
            zone = NULL;
        *complete = reply->rcode != RCODE_NOERROR || takes_alias(qtype) || zone == NULL ||
                    reply->steps > ALIASES_MAX || was_asked_before(reply);
        if (*complete)
            return true;
        closest = lookup_search(zone, asked);
    }
}

/* --- authority section ----------------------------------------------------------------------- */

/* RFC 2308 §3: the SOA, with the TTL that the negative answer may be cached for. */
static bool put_negative_soa(struct reply *reply)
{
    const struct table_section *zone = reply->match.zone;
    struct place place = {.owner = apex_offset(reply),
                          .apex_name = section_apex_name(zone),
                          .apex_length = zone->apex_length};
    struct rrset soa;

    section_negative_soa(zone, &soa);
    return put(reply, SECTION_AUTHORITY, &soa, &place);
}

static bool put_negative_authority(struct reply *reply, struct denial *denial)
{
    const struct asked *asked = &reply->task->asked;
    const struct match *match = &reply->match;

    if (!put_negative_soa(reply))
        return false;
    if (!reply->dnssec_ok)
        return true;
    denial_enter(denial, match->zone, &asked->name, reply->owner);
    if (match->kind == MATCH_NXDOMAIN)
        return denial_prove_nxdomain(denial, asked, match);
    if (match->synthesised)
        return denial_prove_wildcard_nodata(denial, asked, match);
    return denial_prove_nodata(denial, asked, match);
}

/* RFC 4035 §3.1.4: of a delegation from a signed zone, DS or the proof that there is none. A DS
 * RRset that is not signed secures nothing, and goes out only if it is asked for. */
static bool put_delegation_security(struct reply *reply, struct denial *denial)
{
    struct place place = place_of_suffix(reply, reply->match.labels);
    struct rrset ds;

    if (!(reply->match.zone->flags & SECTION_SIGNED))
        return true;
    if (node_find_rrset(reply->match.zone, reply->match.node, TYPE_DS, &ds))
        return put(reply, SECTION_AUTHORITY, &ds, &place);
    denial_enter(denial, reply->match.zone, &reply->task->asked.name, reply->owner);
    return denial_prove_no_ds(denial, &reply->task->asked, &reply->match);
}

static bool put_referral(struct reply *reply, struct denial *denial)
{
    reply->place = place_of_suffix(reply, reply->match.labels);
    return put(reply, SECTION_AUTHORITY, &reply->match.rrset, &reply->place) &&
           (!reply->dnssec_ok || put_delegation_security(reply, denial));
}

/* For every wildcard expanded on the way: that no closer name exists. */
static bool put_wildcard_proofs(struct reply *reply, struct denial *denial)
{
    struct asked asked;

    for (unsigned i = 0; i < reply->steps; i++) {
        const struct step *step = &reply->chain[i];
        if (step->zone == NULL)
            continue;
        response_read_name(&reply->response, step->owner, &asked.name);
        hash_name(&asked.name, reply->settings->table->header->seed, asked.hashes);
        denial_enter(denial, step->zone, &asked.name, step->owner);
        if (!denial_prove_wildcard(denial, &asked, step->encloser_labels))
            return false;
    }
    return true;
}

static bool put_authority(struct reply *reply, struct denial *denial)
{
    switch (reply->match.kind) {
    case MATCH_REFERRAL:
        return put_referral(reply, denial);
    case MATCH_NXDOMAIN:
        reply->rcode = RCODE_NXDOMAIN;
        return put_negative_authority(reply, denial);
    case MATCH_NODATA:
        return put_negative_authority(reply, denial);
    default:
        return true;
    }
}

/* --- the whole ------------------------------------------------------------------------------- */

/* False if the response must be truncated. */
static bool put_sections(struct reply *reply)
{
    struct denial denial;
    const struct rrset *rrset = &reply->match.rrset;
    bool complete;

    denial_begin(&denial, &reply->response);
    if (!put_answers(reply, &complete))
        return false;
    if (!complete && !put_authority(reply, &denial))
        return false;
    if (reply->dnssec_ok && !put_wildcard_proofs(reply, &denial))
        return false;
    if (complete || reply->place.owner == 0)
        return true;
    /* RFC 9471 §3.1: in-domain glue is not optional. */
    if (rrset->glue.count > 0 && reply->match.kind == MATCH_REFERRAL &&
        !response_put_run(&reply->response, SECTION_ADDITIONAL, &rrset->glue, &rrset->rrs,
                          &reply->place))
        return false;
    put_additional(reply, rrset, &reply->place);
    return true;
}

static size_t response_limit(const struct answer_settings *settings, const struct client *client,
                             const struct query *query, size_t reply_max)
{
    size_t limit = reply_max;

    if (client->transport == TRANSPORT_UDP) {
        limit = query->udp_payload;
        if (limit > settings->udp_payload_max)
            limit = settings->udp_payload_max;
    }
    return limit < reply_max ? limit : reply_max;
}

/* RFC 7873 §5.2, §5.4. */
static bool is_bad_cookie(const struct answer_task *task, const struct answer_settings *settings,
                          const struct client *client)
{
    if (task->verdict == QUERY_COOKIE)
        return task->cookie_state == COOKIE_INVALID;
    return settings->cookies_required && client->transport == TRANSPORT_UDP &&
           (task->cookie_state == COOKIE_INVALID || task->cookie_state == COOKIE_NEW);
}

static uint16_t rcode_of_task(const struct answer_task *task,
                              const struct answer_settings *settings, const struct client *client)
{
    if (task->cookie_state != COOKIE_ABSENT && is_bad_cookie(task, settings, client))
        return RCODE_BADCOOKIE;
    if (task->zone != NULL)
        return access_allows(settings->access, task->zone, client) ? RCODE_NOERROR : RCODE_REFUSED;
    if (task->told != NULL)
        return RCODE_NOERROR;
    switch (task->verdict) {
    case QUERY_FORMERR_HEADER:
    case QUERY_FORMERR:
        return RCODE_FORMERR;
    case QUERY_COOKIE:
        return settings->cookies != NULL ? RCODE_NOERROR : RCODE_FORMERR;
    case QUERY_NOTIMP:
        return RCODE_NOTIMP;
    case QUERY_BADVERS:
        return RCODE_BADVERS;
    case QUERY_UNVERIFIED:
        return RCODE_NOTAUTH;
    default:
        return RCODE_REFUSED; /* it is for none of our zones */
    }
}

static int ede_of_rcode(const struct answer_task *task, uint16_t rcode)
{
    if (rcode == RCODE_NOTIMP || task->verdict == QUERY_REFUSED)
        return EDE_NOT_SUPPORTED;
    if (rcode == RCODE_REFUSED && task->zone != NULL)
        return EDE_PROHIBITED;
    return rcode == RCODE_REFUSED ? EDE_NOT_AUTHORITATIVE : EDE_NONE;
}

static struct edns edns_of_reply(const struct answer_task *task,
                                 const struct answer_settings *settings,
                                 const struct client *client, uint16_t rcode)
{
    const struct query *query = &task->query;

    assert(settings->nsid_length <= ANSWER_NSID_MAX);
    return (struct edns){.present = query->edns,
                         .dnssec_ok = query->dnssec_ok,
                         .payload = settings->udp_payload_max,
                         .ede = ede_of_rcode(task, rcode),
                         .nsid = query->wants_nsid ? settings->nsid : NULL,
                         .nsid_length = settings->nsid_length,
                         .cookie = task->cookie_state != COOKIE_ABSENT ? task->cookie : NULL,
                         .keepalive = query->wants_keepalive && settings->keepalive > 0 &&
                                      client->transport == TRANSPORT_TCP,
                         .timeout = settings->keepalive};
}

static void judge_cookie(struct answer_task *task, const struct answer_settings *settings,
                         const struct client *client)
{
    const struct query *query = &task->query;

    task->cookie_state = COOKIE_ABSENT;
    if (settings->cookies != NULL && query->cookie_length > 0)
        task->cookie_state =
            cookie_check(settings->cookies, client, settings->now, task->wire + query->cookie,
                         query->cookie_length, task->cookie);
}

static bool is_served_class(const struct answer_task *task)
{
    return task->query.qclass == CLASS_IN || task->query.qclass == CLASS_ANY;
}

/* DS may belong to the parent (lookup_zone()). */
static bool is_in_recent_zone(const struct answer_task *task,
                              const struct answer_settings *settings)
{
    const struct answer_recent *recent = settings->recent;

    return recent != NULL && recent->zone != NULL && is_served_class(task) &&
           task->query.qtype != TYPE_DS &&
           lookup_is_zone(settings->table, recent->zone, &task->asked.name);
}

bool answer_begin(struct answer_task *task, const struct answer_settings *settings,
                  const uint8_t *query, size_t query_length)
{
    struct asked *asked = &task->asked;

    task->wire = query;
    task->zone = NULL;
    task->told = NULL;
    task->cookie_state = COOKIE_ABSENT;
    task->verdict = query_parse(&task->query, &asked->name, query, query_length);
    if (task->verdict != QUERY_ANSWER)
        return false;
    if (is_in_recent_zone(task, settings)) {
        task->zone = settings->recent->zone;
        hash_below(&asked->name, task->zone->apex_labels, task->zone->apex_hash, asked->hashes);
        lookup_prefetch_slots(task->zone, asked);
        return false;
    }
    hash_name(&asked->name, settings->table->header->seed, asked->hashes);
    lookup_prefetch_zone(settings->table, asked);
    return true;
}

/* Is there still a zone to be found? */
static bool lacks_zone(const struct answer_task *task)
{
    return task->verdict == QUERY_ANSWER && task->zone == NULL && is_served_class(task);
}

void answer_look_ahead(struct answer_task *task, const struct answer_settings *settings)
{
    if (lacks_zone(task))
        lookup_prefetch_section(settings->table, &task->asked);
}

void answer_look_into_zone(struct answer_task *task, const struct answer_settings *settings)
{
    if (task->verdict == QUERY_ANSWER && task->query.qclass == CLASS_CH)
        task->told = chaos_find(&settings->chaos, &task->asked.name, task->query.qtype);
    if (!lacks_zone(task))
        return;
    task->zone = lookup_zone(settings->table, &task->asked, task->query.qtype);
    if (task->zone == NULL)
        return;
    lookup_prefetch_slots(task->zone, &task->asked);
    if (settings->recent != NULL)
        settings->recent->zone = task->zone;
}

void answer_look_closer(struct answer_task *task)
{
    if (task->zone != NULL)
        task->guess = lookup_guess(task->zone, &task->asked);
}

/* The AA bit belongs to the first owner name of the answer (RFC 1035 §4.1.1). An answer for all
 * classes never has it, for we know but one (§6.2). */
static bool is_authoritative(const struct reply *reply)
{
    return reply->task->query.qclass != CLASS_ANY &&
           (reply->task->told != NULL || reply->steps > 1 || reply->match.kind != MATCH_REFERRAL);
}

/* For limits: names that a wildcard or a denial answers may be made up at will. */
static void report_source(const struct reply *reply, struct answer_report *report)
{
    const struct asked *asked = &reply->task->asked;
    const struct match *match = &reply->match;

    report->source = reply->chain[0].hash;
    switch (match->kind) {
    case MATCH_NXDOMAIN:
        report->kind = ANSWER_NXDOMAIN;
        report->source = match->zone->apex_hash;
        break;
    case MATCH_REFERRAL:
        report->kind = ANSWER_REFERRAL;
        report->source = asked->hashes[match->labels];
        break;
    case MATCH_NODATA:
        report->kind = ANSWER_NODATA;
        break;
    default:
        report->kind = ANSWER_DATA;
    }
    if (match->synthesised || reply->chain[0].zone != NULL)
        report->source = match->zone->apex_hash;
}

/*
 * The commonest response by far: QNAME exists and owns the RRset, which brings nothing with it, and
 * the query wants no options. It takes no search for what else might apply, and the RRs are copied
 * as they are stored. Returns 0 if it is not as simple as that, or does not fit: then it is
 * finish_fully()'s, which would write the same.
 *
 * A referral is not that simple (its node is a cut), and ANY and RRSIG are not the types of RRsets.
 */
static size_t finish_plainly(const struct answer_task *task, const struct answer_settings *settings,
                             const struct client *client, uint8_t *wire, size_t wire_max)
{
    const struct query *query = &task->query;
    const struct table_node *node = task->closest.node;
    size_t opt_length = query->edns ? EDNS_PLAIN_LENGTH : 0;
    struct response response;
    struct fragment rrs, signatures;

    if (task->closest.labels != task->asked.name.labels || node->flags & NODE_CUT ||
        query->has_options || !node_find_plain_rrset(node, query->qtype, &rrs, &signatures) ||
        !access_allows(settings->access, task->zone, client))
        return 0;
    if (!query->dnssec_ok)
        signatures.count = signatures.length = 0;
    size_t limit = response_limit(settings, client, query, wire_max) - opt_length;
    response_begin(&response, wire, limit, task->wire, query->question_length);
    if (!response_put_first(&response, &rrs, &signatures))
        return 0;
    response_write_header(&response, query->qclass == CLASS_ANY ? 0 : FLAG_AA, RCODE_NOERROR,
                          query->edns);
    if (query->edns)
        edns_write_plain(wire + response.at, settings->udp_payload_max, RCODE_NOERROR,
                         query->dnssec_ok);
    return response.at + opt_length;
}

/* The response to a question for a zone transfer, signed with `key` or with none, unless that is a
 * transfer. */
static size_t finish_transfer(struct answer_task *task, const struct answer_settings *settings,
                              const struct client *client, const struct tsig_key *key,
                              uint8_t *wire, size_t wire_max, struct answer_report *report)
{
    const struct query *query = &task->query;
    const struct transfer_terms terms = {settings->table, settings->transfers, key,
                                         settings->transfers_busy};
    struct transfer_verdict verdict =
        transfer_judge(&terms, client, query, &task->asked.name, task->wire);
    struct response response;

    judge_cookie(task, settings, client);
    report->cookie = task->cookie_state;
    if (task->cookie_state != COOKIE_ABSENT && is_bad_cookie(task, settings, client))
        verdict = (struct transfer_verdict){.rcode = RCODE_BADCOOKIE, .ede = EDE_NONE};
    report->rcode = verdict.rcode;
    if (verdict.whole) {
        report->kind = ANSWER_TRANSFER;
        return 0;
    }
    struct edns edns = edns_of_reply(task, settings, client, verdict.rcode);
    edns.rcode = verdict.rcode;
    edns.ede = verdict.ede;
    size_t limit = response_limit(settings, client, query, wire_max) - edns_length(&edns);
    response_begin(&response, wire, limit, task->wire, query->question_length);
    if (verdict.rcode == RCODE_NOERROR) {
        report->kind = ANSWER_DATA;
        report->source = verdict.zone->apex_hash;
        report->truncated = !transfer_put_soa(&response, verdict.zone);
    }
    return response_finish(
        &response,
        (uint16_t)((verdict.zone != NULL ? FLAG_AA : 0) | (report->truncated ? FLAG_TC : 0)), &edns,
        verdict.rcode);
}

static size_t finish_fully(struct answer_task *task, const struct answer_settings *settings,
                           const struct client *client, uint8_t *wire, size_t wire_max,
                           struct answer_report *report)
{
    const struct query *query = &task->query;
    struct reply reply;
    bool truncated = false;

    reply.settings = settings;
    reply.client = client;
    reply.task = task;
    reply.owner = WIRE_HEADER_SIZE;
    reply.place.owner = 0;
    reply.dnssec_ok = query->dnssec_ok;
    reply.steps = 0;
    judge_cookie(task, settings, client);
    report->cookie = task->cookie_state;
    reply.rcode = rcode_of_task(task, settings, client);
    reply.authoritative = false;

    struct edns edns = edns_of_reply(task, settings, client, reply.rcode);
    size_t limit = response_limit(settings, client, query, wire_max) - edns_length(&edns);
    response_begin(&reply.response, wire, limit, task->wire, query->question_length);
    if (reply.rcode == RCODE_NOERROR && task->verdict == QUERY_ANSWER) {
        truncated =
            !(task->told != NULL ? chaos_put(&reply.response, task->told) : put_sections(&reply));
        reply.authoritative = is_authoritative(&reply);
        if (task->told == NULL)
            report_source(&reply, report);
    }
    if (truncated)
        response_clear(&reply.response);
    report->rcode = edns.rcode = reply.rcode;
    report->truncated = truncated;
    return response_finish(
        &reply.response,
        (uint16_t)((reply.authoritative ? FLAG_AA : 0) | (truncated ? FLAG_TC : 0)), &edns,
        reply.rcode);
}

size_t answer_slip(const struct answer_task *task, const struct answer_settings *settings,
                   const struct client *client, uint8_t *wire, struct answer_report *report)
{
    bool has_cookie = task->cookie_state != COOKIE_ABSENT;
    uint16_t rcode = has_cookie ? RCODE_BADCOOKIE : RCODE_NOERROR;
    struct edns edns = edns_of_reply(task, settings, client, rcode);
    struct response response;

    edns.rcode = report->rcode = rcode;
    report->truncated = !has_cookie;
    response_begin(&response, wire, WIRE_UDP_PLAIN_MAX, task->wire, task->query.question_length);
    return response_finish(&response, has_cookie ? 0 : FLAG_TC, &edns, rcode);
}

static size_t finish_unsigned(struct answer_task *task, const struct answer_settings *settings,
                              const struct client *client, const struct tsig_key *key,
                              uint8_t *wire, size_t wire_max, struct answer_report *report)
{
    return task->verdict == QUERY_TRANSFER
               ? finish_transfer(task, settings, client, key, wire, wire_max, report)
               : finish_fully(task, settings, client, wire, wire_max, report);
}

/* --- signed queries (RFC 8945 §5) ------------------------------------------------------ */

static bool is_verifiable(enum query_verdict verdict)
{
    return verdict == QUERY_ANSWER || verdict == QUERY_TRANSFER || verdict == QUERY_REFUSED;
}

/* The query is not answered, but called something worse. */
static void degrade(struct answer_task *task, enum query_verdict verdict)
{
    task->verdict = verdict;
    task->zone = NULL;
    task->told = NULL;
}

/* The OPT record with all that it can have: NSID, cookie, extended error, keepalive. */
enum { OPT_ROOM = EDNS_PLAIN_LENGTH + (4 + ANSWER_NSID_MAX) + (4 + COOKIE_SIZE) + 6 + 6 };

/* Has the response leave room for so many octets; `*reply_max` becomes what it has itself. False if
 * that is less than the question takes. */
static bool leave_room(struct answer_task *task, const struct answer_settings *settings,
                       const struct client *client, size_t room, size_t *reply_max)
{
    const struct query *query = &task->query;
    size_t limit = response_limit(settings, client, query, *reply_max);
    size_t opt_room = query->edns ? OPT_ROOM : 0;

    if (limit < WIRE_HEADER_SIZE + query->question_length + opt_room + room)
        return false;
    *reply_max = limit - room;
    return true;
}

/* Names so long that they do not fit into what the client takes: it is told to come again over TCP,
 * with as much as fits beside any signature of ours. Not beside the name of any unknown algorithm:
 * then there is a header. */
static size_t finish_without_question(const struct answer_task *task,
                                      const struct answer_settings *settings, struct tsig *tsig,
                                      uint8_t *wire, struct answer_report *report)
{
    bool fits = WIRE_HEADER_SIZE + EDNS_PLAIN_LENGTH + tsig_length(tsig) <= WIRE_UDP_PLAIN_MAX;
    const struct edns edns = {.present = task->query.edns,
                              .dnssec_ok = task->query.dnssec_ok,
                              .payload = settings->udp_payload_max,
                              .ede = EDE_NONE};
    struct response response;

    report->qtype = 0;
    report->truncated = tsig->error == TSIG_NO_ERROR;
    report->rcode = report->truncated ? RCODE_NOERROR : fits ? RCODE_NOTAUTH : RCODE_FORMERR;
    response_begin(&response, wire, WIRE_UDP_PLAIN_MAX, task->wire, 0);
    size_t length =
        response_finish(&response, report->truncated ? FLAG_TC : 0, &edns, report->rcode);
    return fits ? tsig_sign(tsig, settings->now, wire, length) : length;
}

static size_t finish_signed(struct answer_task *task, const struct answer_settings *settings,
                            const struct client *client, uint8_t *wire, size_t wire_max,
                            struct answer_report *report)
{
    const struct tsig_key *key = NULL;
    struct tsig tsig;
    bool readable = tsig_read(&tsig, settings->keys, settings->now, task->wire, task->query.length,
                              task->query.tsig);

    if (!readable) {
        degrade(task, QUERY_FORMERR);
        return finish_unsigned(task, settings, client, NULL, wire, wire_max, report);
    }
    if (!leave_room(task, settings, client, tsig_length(&tsig), &wire_max))
        return finish_without_question(task, settings, &tsig, wire, report);
    if (tsig.error == TSIG_NO_ERROR)
        key = tsig.key;
    else
        degrade(task, QUERY_UNVERIFIED);
    size_t length = finish_unsigned(task, settings, client, key, wire, wire_max, report);
    return length > 0 ? tsig_sign(&tsig, settings->now, wire, length) : 0;
}

size_t answer_finish(struct answer_task *task, const struct answer_settings *settings,
                     const struct client *client, uint8_t *wire, size_t wire_max,
                     struct answer_report *report)
{
    const struct query *query = &task->query;
    size_t length;

    *report = (struct answer_report){.verdict = task->verdict,
                                     .qtype = query->qtype,
                                     .opcode = query->opcode,
                                     .edns = query->edns,
                                     .dnssec_ok = query->dnssec_ok};
    if (task->verdict == QUERY_SILENCE)
        return 0;
    if (task->zone != NULL) {
        task->closest = lookup_closest(task->zone, &task->asked, task->guess);
        length = finish_plainly(task, settings, client, wire, wire_max);
        if (length > 0) {
            report->kind = ANSWER_DATA;
            report->source = task->asked.hashes[task->asked.name.labels];
            return length;
        }
    }
    if (query->tsig != 0 && is_verifiable(task->verdict))
        return finish_signed(task, settings, client, wire, wire_max, report);
    return finish_unsigned(task, settings, client, NULL, wire, wire_max, report);
}

size_t answer(const struct answer_settings *settings, const struct client *client,
              const uint8_t *query, size_t query_length, uint8_t *reply, size_t reply_max,
              struct answer_report *report)
{
    struct answer_task task;

    answer_begin(&task, settings, query, query_length);
    answer_look_ahead(&task, settings);
    answer_look_into_zone(&task, settings);
    answer_look_closer(&task);
    return answer_finish(&task, settings, client, reply, reply_max, report);
}
