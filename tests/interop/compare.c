#include "compare.h"

#include "message/codes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum part part;
    const char *word;
} part_words[] = {
    { PART_SILENCE, "silence" }, { PART_UNREADABLE, "unreadable" }, { PART_RCODE, "rcode" },
    { PART_FLAGS, "flags" },     { PART_TC, "tc" },                 { PART_OPT, "opt" },
    { PART_QUESTION, "question" }, { PART_ANSWER, "answer" },       { PART_AUTHORITY, "authority" },
    { PART_GLUE, "glue" },       { PART_TTL, "ttl" },
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

const char *compare_parts_to_text(unsigned parts, char text[COMPARE_TEXT_MAX])
{
    char *end = text;

    *end = '\0';
    for (size_t i = 0; i < COUNT(part_words); i++)
        if (parts & part_words[i].part)
            end += sprintf(end, "%s%s", end == text ? "" : " ", part_words[i].word);
    return text;
}

unsigned compare_parts_from_text(const char *text)
{
    unsigned parts = 0;

    while (*text) {
        size_t length = strcspn(text, ","), i = 0;

        while (i < COUNT(part_words)
               && (strlen(part_words[i].word) != length
                   || strncmp(part_words[i].word, text, length) != 0))
            i++;
        if (i == COUNT(part_words))
            return 0;
        parts |= part_words[i].part;
        text += length + (text[length] == ',');
    }
    return parts;
}

static int compare_octets(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

/* By everything but the TTL. */
static int compare_records(const void *left, const void *right)
{
    const struct record *a = left, *b = right;

    return compare_octets(a->octets, a->length - 4, b->octets, b->length - 4);
}

static struct record record_make(const ldns_rr *source)
{
    ldns_rr *canonical = ldns_rr_clone(source);
    ldns_buffer *buffer = ldns_buffer_new(512);
    struct record record;

    ldns_rr2canonical(canonical);
    ldns_rdf2buffer_wire_canonical(buffer, ldns_rr_owner(canonical));
    ldns_buffer_write_u16(buffer, (uint16_t)ldns_rr_get_type(canonical));
    ldns_buffer_write_u16(buffer, (uint16_t)ldns_rr_get_class(canonical));
    for (size_t i = 0; i < ldns_rr_rd_count(canonical); i++)
        ldns_rdf2buffer_wire_canonical(buffer, ldns_rr_rdf(canonical, i));
    ldns_buffer_write_u32(buffer, ldns_rr_ttl(source));
    record.length = ldns_buffer_position(buffer);
    record.octets = ldns_buffer_export(buffer);
    ldns_buffer_free(buffer);
    ldns_rr_free(canonical);
    return record;
}

static void section_read(struct section *section, const ldns_rr_list *records)
{
    section->count = ldns_rr_list_rr_count(records);
    section->items = calloc(section->count + 1, sizeof *section->items);
    for (size_t i = 0; i < section->count; i++)
        section->items[i] = record_make(ldns_rr_list_rr(records, i));
    qsort(section->items, section->count, sizeof *section->items, compare_records);
}

static void section_free(struct section *section)
{
    for (size_t i = 0; i < section->count; i++)
        free(section->items[i].octets);
    free(section->items);
}

void compare_read(struct view *view, const struct reply *reply)
{
    enum { TC = 0x0200, RCODE = 0x000F };

    *view = (struct view){ .silent = !reply->wire };
    if (view->silent)
        return;
    view->unreadable = reply->length < 12
                       || ldns_wire2pkt(&view->packet, reply->wire, reply->length)
                              != LDNS_STATUS_OK;
    if (view->unreadable) {
        view->packet = NULL;
        return;
    }
    view->flags = (uint16_t)(reply->wire[2] << 8 | reply->wire[3]);
    view->truncated = view->flags & TC;
    view->rcode = view->flags & RCODE;
    view->flags &= (uint16_t)~(TC | RCODE);
    view->question = reply->wire[4] << 8 | reply->wire[5];
    view->edns = ldns_pkt_edns(view->packet);
    if (view->edns) {
        view->rcode |= (uint16_t)(ldns_pkt_edns_extended_rcode(view->packet) << 4);
        view->edns_version = ldns_pkt_edns_version(view->packet);
        view->edns_dnssec_ok = ldns_pkt_edns_do(view->packet);
    }
    section_read(&view->sections[SECTION_ANSWER], ldns_pkt_answer(view->packet));
    section_read(&view->sections[SECTION_AUTHORITY], ldns_pkt_authority(view->packet));
    section_read(&view->sections[SECTION_ADDITIONAL], ldns_pkt_additional(view->packet));
}

void compare_free(struct view *view)
{
    if (!view->packet)
        return;
    for (size_t i = 0; i < SECTIONS; i++)
        section_free(&view->sections[i]);
    ldns_pkt_free(view->packet);
}

static struct name record_owner(const struct record *record)
{
    struct name owner;

    if (name_read(&owner, record->octets, record->length) == 0)
        abort();
    return owner;
}

static uint16_t record_type(const struct record *record, size_t owner_length)
{
    return (uint16_t)(record->octets[owner_length] << 8 | record->octets[owner_length + 1]);
}

/* For an RRSIG, the type it covers: the first two octets of its RDATA (RFC 4034 §3.1). */
static uint16_t record_type_signed(const struct record *record, size_t owner_length)
{
    uint16_t type = record_type(record, owner_length);

    return type == TYPE_RRSIG ? record_type(record, owner_length + 4) : type;
}

/* Which records of a section count: picks some of one view's. */
typedef bool record_filter(const struct record *record, const struct view *view,
                           const struct zone_set *zones);

static bool is_any_record(const struct record *record, const struct view *view,
                          const struct zone_set *zones)
{
    (void)record, (void)view, (void)zones;
    return true;
}

/* The apex NS RRset beside a positive answer is courtesy (RFC 1034 §4.3.2 step 3a does not ask for
 * it). */
static bool is_needed_authority(const struct record *record, const struct view *view,
                                const struct zone_set *zones)
{
    struct name owner = record_owner(record);
    const struct zone *zone = zones_find(zones, &owner);

    if (view->sections[SECTION_ANSWER].count == 0
        || record_type_signed(record, owner.length) != TYPE_NS)
        return true;
    return !zone || name_compare(&zone->origin, &owner) != 0;
}

/* Addresses at or below the cut that a referral is to (RFC 9471 §3.1). */
static bool is_in_domain_glue(const struct record *record, const struct view *view,
                              const struct zone_set *zones)
{
    const struct section *authority = &view->sections[SECTION_AUTHORITY];
    struct name owner = record_owner(record);
    uint16_t type = record_type(record, owner.length);

    (void)zones;
    if (type != TYPE_A && type != TYPE_AAAA)
        return false;
    for (size_t i = 0; i < authority->count; i++) {
        struct name cut = record_owner(&authority->items[i]);

        if (record_type(&authority->items[i], cut.length) == TYPE_NS
            && name_is_within(&owner, &cut))
            return true;
    }
    return false;
}

static size_t next_wanted(const struct section *section, size_t from, record_filter *filter,
                          const struct view *view, const struct zone_set *zones)
{
    while (from < section->count && !filter(&section->items[from], view, zones))
        from++;
    return from;
}

/* 0, `part`, or PART_TTL if nothing else differs. */
static unsigned compare_sections(const struct view *ours, const struct view *theirs, int which,
                                 record_filter *filter, unsigned part,
                                 const struct zone_set *zones)
{
    const struct section *a = &ours->sections[which], *b = &theirs->sections[which];
    unsigned difference = 0;
    size_t i = 0, j = 0;

    for (;; i++, j++) {
        i = next_wanted(a, i, filter, ours, zones);
        j = next_wanted(b, j, filter, theirs, zones);
        if (i == a->count || j == b->count)
            return i == a->count && j == b->count ? difference : part;
        if (compare_records(&a->items[i], &b->items[j]) != 0)
            return part;
        if (memcmp(a->items[i].octets + a->items[i].length - 4,
                   b->items[j].octets + b->items[j].length - 4, 4) != 0)
            difference = PART_TTL;
    }
}

unsigned compare_headers(const struct view *ours, const struct view *theirs)
{
    unsigned parts = 0;

    if (ours->silent || theirs->silent)
        return ours->silent == theirs->silent ? 0 : PART_SILENCE;
    if (ours->unreadable || theirs->unreadable)
        return PART_UNREADABLE;
    if (ours->rcode != theirs->rcode)
        parts |= PART_RCODE;
    if (ours->flags != theirs->flags)
        parts |= PART_FLAGS;
    if (ours->question != theirs->question)
        parts |= PART_QUESTION;
    if (ours->edns != theirs->edns || ours->edns_version != theirs->edns_version
        || ours->edns_dnssec_ok != theirs->edns_dnssec_ok)
        parts |= PART_OPT;
    return parts;
}

static bool is_referral(const struct view *view)
{
    enum { AA = 0x0400 };

    return view->rcode == RCODE_NOERROR && !(view->flags & AA)
           && view->sections[SECTION_AUTHORITY].count > 0;
}

/* Any non-empty choice of what is there is right: for ANY (RFC 8482 §4.1), and for RRSIG, since
 * those of a name are no RRset (RFC 4035 §2.2). */
static bool is_choice(const struct query *query)
{
    return query->qtype == TYPE_ANY || query->qtype == TYPE_RRSIG;
}

/* All RRSIGs of a name may be too many where one peer's choice of them is not. */
static bool has_needless_tc(const struct view *ours, const struct view *theirs,
                            const struct query *query)
{
    return ours->truncated && !theirs->truncated && query->qtype != TYPE_RRSIG;
}

static unsigned compare_choice(const struct view *ours, const struct view *theirs,
                            const struct zone_set *zones)
{
    if (ours->sections[SECTION_ANSWER].count > 0 && theirs->sections[SECTION_ANSWER].count > 0)
        return 0;
    return compare_sections(ours, theirs, SECTION_ANSWER, is_any_record, PART_ANSWER, zones)
           | compare_sections(ours, theirs, SECTION_AUTHORITY, is_needed_authority,
                              PART_AUTHORITY, zones);
}

unsigned compare_views(const struct view *ours, const struct view *theirs,
                       const struct query *query, const struct zone_set *zones)
{
    unsigned parts = compare_headers(ours, theirs);

    if (parts & (PART_SILENCE | PART_UNREADABLE) || ours->silent)
        return parts;
    parts &= ~(unsigned)PART_QUESTION; /* NSD leaves it out of REFUSED; ours is checked by itself */
    if (ours->truncated || theirs->truncated) {
        /* What fits whole need not be cut because a peer's encoding is longer; AA of a cut
         * answer says nothing. */
        parts &= PART_RCODE | PART_OPT;
        return parts | (has_needless_tc(ours, theirs, query) ? PART_TC : 0u);
    }
    if (is_choice(query))
        return parts | compare_choice(ours, theirs, zones);
    parts |= compare_sections(ours, theirs, SECTION_ANSWER, is_any_record, PART_ANSWER, zones);
    parts |= compare_sections(ours, theirs, SECTION_AUTHORITY, is_needed_authority,
                              PART_AUTHORITY, zones);
    if (is_referral(ours) && is_referral(theirs))
        parts |= compare_sections(ours, theirs, SECTION_ADDITIONAL, is_in_domain_glue, PART_GLUE,
                                  zones);
    return parts;
}
