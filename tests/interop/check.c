#include "check.h"

#include "message/codes.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *good_signatures; /* a tsearch tree of struct fact: RRset and RRSIG that verified */

static int compare_good(const void *left, const void *right)
{
    const struct fact *a = left, *b = right;

    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return memcmp(a->octets, b->octets, a->length);
}

static void free_fact(void *fact)
{
    free(((struct fact *)fact)->octets);
    free(fact);
}

void check_forget(void)
{
    tdestroy(good_signatures, free_fact);
    good_signatures = NULL;
}

static const char *check_header(const struct query *query, const struct reply *reply)
{
    size_t question = (size_t)query->qname.length + 4;

    if (memcmp(reply->wire, query->wire, 2) != 0)
        return "the ID is not the query's";
    if (!(reply->wire[2] & 0x80))
        return "QR is not set";
    if (reply->length > query->reply_max)
        return "it is longer than the requestor or the transport allows";
    if (query->title)
        return NULL;
    if (reply->length < 12 + question
        || memcmp(reply->wire + 12, query->wire + 12, question) != 0)
        return "the question is not the query's, octet by octet";
    return NULL;
}

static const char *check_duplicates(const struct view *view)
{
    for (size_t i = 0; i < SECTIONS; i++) {
        const struct section *section = &view->sections[i];

        for (size_t j = 1; j < section->count; j++) {
            const struct record *a = &section->items[j - 1], *b = &section->items[j];

            if (a->length == b->length && memcmp(a->octets, b->octets, a->length - 4) == 0)
                return "a section holds the same record twice";
        }
    }
    return NULL;
}

static bool is_below_some_dname(const ldns_rr_list *answer, const struct name *owner)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
        const ldns_rr *record = ldns_rr_list_rr(answer, i);

        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_DNAME) {
            struct name dname = zones_name(ldns_rr_owner(record));

            if (dname.length < owner->length && name_is_within(owner, &dname))
                return true;
        }
    }
    return false;
}

static bool is_synthesised(const ldns_rr *record, const ldns_rr_list *answer)
{
    struct name owner = zones_name(ldns_rr_owner(record));

    return ldns_rr_get_type(record) == LDNS_RR_TYPE_CNAME && is_below_some_dname(answer, &owner);
}

/* Does some wildcard above `owner` own such a record? */
static bool is_expanded(const ldns_rr *record, const struct name *owner, const struct zone *zone)
{
    for (unsigned skip = 1; skip <= owner->labels; skip++) {
        unsigned rest = name_suffix_length(owner, skip);
        uint8_t wire[2 + NAME_OCTETS_MAX] = { 1, '*' };
        struct name wildcard;

        memcpy(wire + 2, name_suffix(owner, skip), rest);
        if (rest >= zone->origin.length && name_read(&wildcard, wire, 2 + rest) != 0
            && zones_has(zone, record, &wildcard))
            return true;
    }
    return false;
}

/* A record may come from any zone its owner is within: glue lies in the parent. */
static bool is_from_zones(const ldns_rr *record, const struct zone_set *zones)
{
    struct name owner = zones_name(ldns_rr_owner(record));

    for (size_t i = 0; i < zones->count; i++)
        if (name_is_within(&owner, &zones->items[i].origin)
            && (zones_has(&zones->items[i], record, NULL)
                || is_expanded(record, &owner, &zones->items[i])))
            return true;
    return false;
}

static const char *check_origin(const struct view *view, const struct zone_set *zones)
{
    static char complaint[2048];
    const ldns_rr_list *answer = ldns_pkt_answer(view->packet);
    const ldns_rr_list *lists[SECTIONS] = { answer, ldns_pkt_authority(view->packet),
                                            ldns_pkt_additional(view->packet) };

    for (size_t i = 0; i < SECTIONS; i++) {
        for (size_t j = 0; j < ldns_rr_list_rr_count(lists[i]); j++) {
            const ldns_rr *record = ldns_rr_list_rr(lists[i], j);
            char *text;

            if (is_synthesised(record, answer) || is_from_zones(record, zones))
                continue;
            text = ldns_rr2str(record);
            text[strcspn(text, "\n")] = '\0';
            snprintf(complaint, sizeof complaint, "no zone holds this record: %.1000s", text);
            free(text);
            return complaint;
        }
    }
    return NULL;
}

/* RFC 4035 §3.1: not without DO, unless asked for by type. */
static const char *check_no_dnssec(const struct query *query, const struct view *view)
{
    const ldns_rr_list *lists[] = { ldns_pkt_answer(view->packet),
                                    ldns_pkt_authority(view->packet),
                                    ldns_pkt_additional(view->packet) };

    if (query->qtype == TYPE_ANY)
        return NULL;
    for (size_t i = 0; i < SECTIONS; i++) {
        for (size_t j = 0; j < ldns_rr_list_rr_count(lists[i]); j++) {
            ldns_rr_type type = ldns_rr_get_type(ldns_rr_list_rr(lists[i], j));

            if ((type == LDNS_RR_TYPE_RRSIG || type == LDNS_RR_TYPE_NSEC
                 || type == LDNS_RR_TYPE_NSEC3)
                && type != query->qtype)
                return "DNSSEC records without DO";
        }
    }
    return NULL;
}

static bool is_same_rrset(const ldns_rr *a, const ldns_rr *b)
{
    return ldns_rr_get_type(a) == ldns_rr_get_type(b)
           && ldns_dname_compare(ldns_rr_owner(a), ldns_rr_owner(b)) == 0;
}

static bool is_signature_of(const ldns_rr *signature, const ldns_rr *record)
{
    return ldns_rr_get_type(signature) == LDNS_RR_TYPE_RRSIG
           && ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(signature)) == ldns_rr_get_type(record)
           && ldns_dname_compare(ldns_rr_owner(signature), ldns_rr_owner(record)) == 0;
}

/*
 * Which zones may have signed a record, none if it needs no signature. DS stands in the parent (RFC
 * 4035 §2.4), NSEC on both sides of a cut (§2.3); the NS of a cut is not signed (§2.2).
 */
static size_t find_signers(const ldns_rr *record, const struct zone_set *zones,
                           const struct zone *signers[2])
{
    struct name owner = zones_name(ldns_rr_owner(record));
    const struct zone *parent = zones_find_parent(zones, &owner);
    const struct zone *zone = zones_find(zones, &owner);
    ldns_rr_type type = ldns_rr_get_type(record);
    size_t count = 0;

    if (type == LDNS_RR_TYPE_RRSIG || !zone)
        return 0;
    if (type == LDNS_RR_TYPE_NS && name_compare(&owner, &zone->origin) != 0)
        return 0;
    if (type == LDNS_RR_TYPE_DS)
        zone = parent;
    if (zone && ldns_rr_list_rr_count(zone->keys) > 0)
        signers[count++] = zone;
    if (type == LDNS_RR_TYPE_NSEC && parent && parent != zone
        && ldns_rr_list_rr_count(parent->keys) > 0)
        signers[count++] = parent;
    return count;
}

static struct fact signature_key(const ldns_rr_list *rrset, const ldns_rr *signature)
{
    ldns_buffer *buffer = ldns_buffer_new(1024);
    struct fact key;

    for (size_t i = 0; i < ldns_rr_list_rr_count(rrset); i++)
        ldns_rr2buffer_wire_canonical(buffer, ldns_rr_list_rr(rrset, i), LDNS_SECTION_ANSWER);
    ldns_rr2buffer_wire_canonical(buffer, signature, LDNS_SECTION_ANSWER);
    key.length = ldns_buffer_position(buffer);
    key.octets = ldns_buffer_export(buffer);
    ldns_buffer_free(buffer);
    return key;
}

static bool verifies(ldns_rr_list *rrset, ldns_rr *signature, const struct zone *zone)
{
    struct fact *key = malloc(sizeof *key);
    ldns_rr_list *good_keys;
    bool good;

    *key = signature_key(rrset, signature);
    if (tfind(key, &good_signatures, compare_good)) {
        free_fact(key);
        return true;
    }
    good_keys = ldns_rr_list_new();
    /* ldns 1.8 takes an expiration after 2038 for one before the inception: delv checks the time */
    good = ldns_verify_rrsig_keylist_notime(rrset, signature, zone->keys, good_keys)
           == LDNS_STATUS_OK;
    ldns_rr_list_free(good_keys);
    if (good)
        tsearch(key, &good_signatures, compare_good);
    else
        free_fact(key);
    return good;
}

/* Every RRSIG beside the RRset of `first` verifies, and there is one. */
static bool is_well_signed(const ldns_rr *first, const ldns_rr_list *section,
                           const struct zone *zone)
{
    ldns_rr_list *rrset = ldns_rr_list_new();
    bool good = true;
    size_t signatures = 0;

    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++)
        if (is_same_rrset(ldns_rr_list_rr(section, i), first))
            ldns_rr_list_push_rr(rrset, ldns_rr_list_rr(section, i));
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        ldns_rr *signature = ldns_rr_list_rr(section, i);

        if (is_signature_of(signature, first)) {
            signatures++;
            good = good && verifies(rrset, signature, zone);
        }
    }
    ldns_rr_list_free(rrset);
    return good && signatures > 0;
}

static bool is_first_of_rrset(const ldns_rr_list *section, size_t place)
{
    for (size_t i = 0; i < place; i++)
        if (is_same_rrset(ldns_rr_list_rr(section, i), ldns_rr_list_rr(section, place)))
            return false;
    return true;
}

static bool is_signed_by_some(const ldns_rr *record, const ldns_rr_list *section,
                              const struct zone_set *zones)
{
    const struct zone *signers[2];
    size_t count = find_signers(record, zones, signers);

    for (size_t i = 0; i < count; i++)
        if (is_well_signed(record, section, signers[i]))
            return true;
    return count == 0;
}

static const char *check_section_signed(const ldns_rr_list *section, const ldns_rr_list *answer,
                                        const struct zone_set *zones)
{
    static char complaint[NAME_TEXT_MAX + 100];

    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *record = ldns_rr_list_rr(section, i);
        struct name owner;
        char text[NAME_TEXT_MAX];

        if (is_synthesised(record, answer) || !is_first_of_rrset(section, i)
            || is_signed_by_some(record, section, zones))
            continue;
        owner = zones_name(ldns_rr_owner(record));
        snprintf(complaint, sizeof complaint, "no signature, or a bad one, with %s type %u",
                 name_to_text(&owner, text), (unsigned)ldns_rr_get_type(record));
        return complaint;
    }
    return NULL;
}

static const char *check_signatures(const struct view *view, const struct zone_set *zones)
{
    const ldns_rr_list *answer = ldns_pkt_answer(view->packet);
    const char *complaint = check_section_signed(answer, answer, zones);

    if (!complaint)
        complaint = check_section_signed(ldns_pkt_authority(view->packet), answer, zones);
    return complaint;
}

const char *check_reply(const struct query *query, const struct reply *reply,
                        const struct view *view, const struct zone_set *zones)
{
    const char *complaint;

    if (view->silent)
        return query->title ? NULL : "there is none";
    if (view->unreadable)
        return "ldns cannot decode it";
    complaint = check_header(query, reply);
    if (!complaint)
        complaint = check_duplicates(view);
    if (!complaint)
        complaint = check_origin(view, zones);
    if (!complaint && !query->title && !view->truncated)
        complaint = query->dnssec_ok ? check_signatures(view, zones)
                                     : check_no_dnssec(query, view);
    return complaint;
}
