#include "table/validate_rrset.h"

#include "message/codes.h"
#include "message/rdata_names.h"

enum {
    RR_OVERHEAD = WIRE_POINTER_SIZE + WIRE_RR_FIXED_SIZE,
    SOA_NUMBERS = 20,
    RRSIG_BEFORE_SIGNER = 18,
    NSEC3_BEFORE_SALT = 5,
};

/* Where the names are in the RDATA of types that have names to compress or to be followed. */
struct rdata_form {
    bool compressed;
    uint8_t before; /* octets before the names */
    uint8_t names;
    uint8_t behind; /* octets behind them */
    bool open_end;  /* more may follow */
};

static struct rdata_form rdata_form(uint16_t type)
{
    struct rdata_names names = rdata_names_of(type);

    switch (type) {
    case TYPE_DNAME:
        return (struct rdata_form){.names = 1};
    case TYPE_NSEC:
        return (struct rdata_form){.names = 1, .open_end = true};
    case TYPE_RRSIG:
        return (struct rdata_form){.before = RRSIG_BEFORE_SIGNER, .names = 1, .open_end = true};
    default:
        break;
    }
    if (!names.compressible)
        return (struct rdata_form){.open_end = true};
    return (struct rdata_form){.compressed = true,
                               .before = names.before,
                               .names = names.count,
                               .behind = type == TYPE_SOA ? SOA_NUMBERS : 0};
}

static size_t even(size_t length)
{
    return length + (length & 1);
}

size_t validate_rrset_size(const uint8_t *at, size_t available)
{
    const struct table_rrset *head = (const void *)at;
    size_t size = sizeof *head;

    if (available < size)
        return 0;
    size_t signatures_at = size;
    if (head->pointers & RRSET_SIGNED)
        size += sizeof(struct table_signatures);
    size_t additional_at = size;
    if (head->pointers & RRSET_ADDITIONAL)
        size += sizeof(struct table_additional);
    if (available < size)
        return 0;
    size += (head->pointers & RRSET_POINTERS) * sizeof(uint16_t) + even(head->length);
    if (head->pointers & RRSET_SIGNED) {
        const struct table_signatures *signatures = (const void *)(at + signatures_at);
        size += even(signatures->length);
    }
    if (head->pointers & RRSET_ADDITIONAL) {
        const struct table_additional *additional = (const void *)(at + additional_at);
        size += even(additional->glue_length) + additional->targets * sizeof(struct table_target);
    }
    return size <= available ? size : 0;
}

/* Types that neither the daemon nor these checks look into the RDATA of, and that are met most. */
static bool is_opaque(uint16_t type)
{
    return type == TYPE_A || type == TYPE_AAAA || type == TYPE_TXT || type == TYPE_DS;
}

size_t validate_plain_rrset(const uint8_t *at, size_t available)
{
    const struct table_rrset *head = (const void *)at;

    /* No flags, and one pointer for the owner of each RR. */
    if (available < sizeof *head || !is_opaque(head->type) || head->pointers != head->count ||
        head->count == 0)
        return 0;
    const uint16_t *pointers = (const void *)(head + 1);
    const uint8_t *rrs = (const uint8_t *)(pointers + head->count);
    size_t size = (size_t)(rrs - at) + even(head->length);
    const uint32_t start = (uint32_t)FRAGMENT_OWNER_POINTER << 16 | head->type;
    unsigned position = 0;
    if (head->count > RRSET_POINTERS || size > available)
        return 0;
    for (unsigned i = 0; i < head->count; i++) {
        const uint8_t *rr = rrs + position;
        if (pointers[i] != position || head->length < position + RR_OVERHEAD ||
            wire_read_u32(rr) != start || wire_read_u16(rr + 4) != CLASS_IN)
            return 0;
        position += RR_OVERHEAD + wire_read_u16(rr + RR_OVERHEAD - 2);
    }
    return position == head->length ? size : 0;
}

static bool is_suffix(const struct validate_owner *owner, unsigned k)
{
    unsigned at = 0;

    if (k > owner->length || k + 1 >= owner->name_length)
        return false;
    if (k == owner->length)
        return true;
    while (at < k)
        at += 1u + owner->labels[at];
    return at == k;
}

static bool is_listed(const struct fragment *rrs, unsigned position)
{
    unsigned low = 0;
    unsigned high = rrs->pointer_count;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (rrs->pointers[middle] < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rrs->pointer_count && rrs->pointers[low] == position;
}

/*
 * Octets of the name that the pointer `value` stands for, written out; 0 if it is none of those
 * that fragment.h allows. A name within the fragment must end before octet `before`. It must begin
 * with a label, so that following it gets longer with every step and ends.
 */
static unsigned measure_pointer(const struct fragment *rrs, const struct validate_owner *owner,
                                uint16_t value, unsigned before)
{
    unsigned length = 0;

    for (;;) {
        if (value < FRAGMENT_OWNER_POINTER)
            return 0;
        unsigned offset = (unsigned)value - FRAGMENT_OWNER_POINTER;
        if (offset == 0)
            return owner->wildcard ? 0 : length + owner->name_length;
        if (offset < owner->name_length)
            return is_suffix(owner, offset) ? length + owner->name_length - offset : 0;
        if (offset < (unsigned)owner->name_length + FRAGMENT_QUESTION_TAIL)
            return 0;

        unsigned at = offset - owner->name_length - FRAGMENT_QUESTION_TAIL;
        if (at > FRAGMENT_TARGET_MAX || at >= before || rrs->octets[at] == 0)
            return 0;
        unsigned start = at;
        while (at < before && rrs->octets[at] != 0 && rrs->octets[at] <= NAME_LABEL_OCTETS_MAX)
            at += 1u + rrs->octets[at];
        length += at - start;
        if (at >= before || length > NAME_OCTETS_MAX)
            return 0;
        if (rrs->octets[at] == 0)
            return length + 1;
        if (at == start || at + WIRE_POINTER_SIZE > before || !is_listed(rrs, at))
            return 0;
        value = wire_read_u16(rrs->octets + at);
        before = start;
    }
}

static bool is_pointer(const struct fragment *rrs, const struct validate_owner *owner,
                       uint16_t value, unsigned before, unsigned length)
{
    unsigned rest = measure_pointer(rrs, owner, value, before);

    return rest != 0 && length + rest <= NAME_OCTETS_MAX;
}

/* Checks the name at `at`, which must end at or before `end`. Returns where it ends, or 0.
 * `*listed` counts the pointers met so far; the list must name this one next. */
static unsigned check_name(const struct fragment *rrs, const struct validate_owner *owner,
                           unsigned at, unsigned end, bool compressed, unsigned *listed)
{
    unsigned start = at;

    while (at < end && rrs->octets[at] != 0 && rrs->octets[at] <= NAME_LABEL_OCTETS_MAX)
        at += 1u + rrs->octets[at];
    if (at >= end)
        return 0;
    if (rrs->octets[at] == 0)
        return at + 1 - start <= NAME_OCTETS_MAX ? at + 1 : 0;
    if (!compressed || at + WIRE_POINTER_SIZE > end || *listed >= rrs->pointer_count ||
        rrs->pointers[*listed] != at)
        return 0;
    ++*listed;
    uint16_t value = wire_read_u16(rrs->octets + at);
    return is_pointer(rrs, owner, value, start, at - start) ? at + WIRE_POINTER_SIZE : 0;
}

static const char *check_rdata(const struct fragment *rrs, const struct validate_owner *owner,
                               uint16_t type, unsigned at, unsigned end, unsigned *listed)
{
    struct rdata_form form = rdata_form(type);

    at += form.before;
    for (unsigned left = form.names; left > 0; left--) {
        at = check_name(rrs, owner, at, end, form.compressed, listed);
        if (at == 0)
            return "a name in RDATA is malformed";
    }
    at += form.behind;
    if (at > end || (at < end && !form.open_end))
        return "RDATA has the wrong length";
    return NULL;
}

/* RFC 5155 §3.2. */
static const char *check_nsec3(const uint8_t *rdata, unsigned length)
{
    unsigned salt = length < NSEC3_BEFORE_SALT ? 0 : rdata[NSEC3_BEFORE_SALT - 1];
    unsigned hash_at = NSEC3_BEFORE_SALT + salt;

    if (length <= hash_at || length < hash_at + 1 + rdata[hash_at])
        return "an NSEC3 record is cut short";
    return NULL;
}

/* Checks the RR at `at` but for owner and RDATA. Returns where it ends, or 0. */
static unsigned check_frame(const struct fragment *run, unsigned at, uint16_t type)
{
    if ((unsigned)run->length - at < RR_OVERHEAD)
        return 0;
    const uint8_t *fixed = run->octets + at + WIRE_POINTER_SIZE;
    unsigned end = at + RR_OVERHEAD + wire_read_u16(fixed + 8);
    bool fits =
        end <= run->length && wire_read_u16(fixed) == type && wire_read_u16(fixed + 2) == CLASS_IN;
    return fits ? end : 0;
}

static const char *check_rrs(const struct rrset *rrset, const struct validate_owner *owner)
{
    const struct fragment *rrs = &rrset->rrs;
    unsigned listed = 0;
    unsigned at = 0;

    for (unsigned left = rrs->count; left > 0; left--) {
        unsigned end = check_frame(rrs, at, rrset->type);
        if (end == 0)
            return "an RR is malformed or of another type than its RRset";
        if (wire_read_u16(rrs->octets + at) != FRAGMENT_OWNER_POINTER ||
            listed >= rrs->pointer_count || rrs->pointers[listed] != at)
            return "an RR's owner is not a pointer in the RRset's list";
        listed++;
        unsigned rdata = at + RR_OVERHEAD;
        const char *reason = check_rdata(rrs, owner, rrset->type, rdata, end, &listed);
        if (reason == NULL && rrset->type == TYPE_NSEC3)
            reason = check_nsec3(rrs->octets + rdata, end - rdata);
        if (reason != NULL)
            return reason;
        at = end;
    }
    if (at != rrs->length)
        return "an RRset does not end where its last RR does";
    if (listed != rrs->pointer_count)
        return "an RRset's list has a pointer too many";
    if ((rrset->type == TYPE_CNAME || rrset->type == TYPE_DNAME) && rrs->count != 1 &&
        !owner->occluded)
        return "a CNAME or DNAME RRset has not exactly one RR";
    return NULL;
}

static const char *check_signatures(const struct rrset *rrset, const struct validate_owner *owner)
{
    const struct fragment *run = &rrset->signatures;
    unsigned listed = 0;
    unsigned at = 0;

    for (unsigned left = run->count; left > 0; left--) {
        unsigned end = check_frame(run, at, TYPE_RRSIG);
        if (end == 0 || wire_read_u16(run->octets + at) != FRAGMENT_OWNER_POINTER)
            return "a signature is malformed";
        unsigned rdata = at + RR_OVERHEAD;
        if (check_rdata(run, owner, TYPE_RRSIG, rdata, end, &listed) != NULL ||
            wire_read_u16(run->octets + rdata) != rrset->type)
            return "a signature is malformed or covers another type";
        at = end;
    }
    return at == run->length ? NULL : "signatures do not end where the last one does";
}

static bool is_address(const struct fragment *run, unsigned at, unsigned end)
{
    unsigned type = wire_read_u16(run->octets + at + WIRE_POINTER_SIZE);
    unsigned length = end - at - RR_OVERHEAD;

    return (type == TYPE_A && length == 4) || (type == TYPE_AAAA && length == 16);
}

static const char *check_glue(const struct rrset *rrset, const struct validate_owner *owner)
{
    const struct fragment *run = &rrset->glue;
    unsigned at = 0;

    for (unsigned left = run->count; left > 0; left--) {
        unsigned end = check_frame(run, at, TYPE_A);
        if (end == 0)
            end = check_frame(run, at, TYPE_AAAA);
        if (end == 0 || !is_address(run, at, end))
            return "glue is not an address record";
        uint16_t value = wire_read_u16(run->octets + at);
        if (!is_pointer(&rrset->rrs, owner, value, rrset->rrs.length, 0))
            return "glue has an owner that is not a name server of its cut";
        at = end;
    }
    return at == run->length ? NULL : "glue does not end where its last RR does";
}

static const char *check_targets(const struct rrset *rrset, const struct validate_owner *owner)
{
    for (unsigned i = 0; i < rrset->target_count; i++) {
        uint16_t value = rrset->targets[i].owner;
        if (value != 0 && !is_pointer(&rrset->rrs, owner, value, rrset->rrs.length, 0))
            return "a target is not named by its RRset";
    }
    return NULL;
}

const char *validate_rrset(const struct rrset *rrset, const struct validate_owner *owner)
{
    const char *reason = check_rrs(rrset, owner);

    if (reason == NULL)
        reason = check_signatures(rrset, owner);
    if (reason == NULL)
        reason = check_glue(rrset, owner);
    if (reason == NULL)
        reason = check_targets(rrset, owner);
    return reason;
}
