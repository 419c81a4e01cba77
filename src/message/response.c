#include "message/response.h"

#include "message/codes.h"
#include "message/wire.h"

#include <assert.h>
#include <string.h>

enum { RR_HEADER_SIZE = WIRE_POINTER_SIZE + WIRE_RR_FIXED_SIZE };

void response_clear(struct response *response)
{
    response->at = response->question_end;
    memset(response->counts, 0, sizeof response->counts);
}

/* --- names in what was written --------------------------------------------------------------- */

/* Follows pointers until `at` is at a label. What we wrote has no loops: each pointer leads
 * backwards. */
static uint32_t at_label(const uint8_t *wire, uint32_t at)
{
    while (wire[at] >= WIRE_POINTER_TAG >> 8)
        at = wire_read_u16(wire + at) & WIRE_POINTER_MAX;
    return at;
}

uint32_t response_suffix(const struct response *response, uint32_t offset, unsigned octets)
{
    const uint8_t *wire = response->wire;

    if (offset < response->question_end)
        return offset + octets;
    uint32_t at = at_label(wire, offset);
    while (octets > 0) {
        unsigned label = 1u + wire[at];
        assert(label > 1 && label <= octets);
        octets -= label;
        at = at_label(wire, at + label);
    }
    return at;
}

/* Copies the name at `offset` without compression; returns its length. */
static size_t copy_name(const uint8_t *wire, uint32_t offset, uint8_t to[NAME_OCTETS_MAX])
{
    uint32_t from = at_label(wire, offset);
    size_t length = 0;

    for (;;) {
        size_t label = 1u + wire[from];
        assert(length + label <= NAME_OCTETS_MAX);
        memcpy(to + length, wire + from, label);
        length += label;
        if (label == 1)
            return length;
        from = at_label(wire, from + (uint32_t)label);
    }
}

size_t response_copy_name(const struct response *response, uint32_t offset,
                          uint8_t to[NAME_OCTETS_MAX])
{
    return copy_name(response->wire, offset, to);
}

void response_read_name(const struct response *response, uint32_t offset, struct name *name)
{
    uint8_t wire[NAME_OCTETS_MAX];
    size_t length = copy_name(response->wire, offset, wire);
    size_t read = name_read(name, wire, length);

    assert(read == length);
    (void)read;
}

/* --- pointers of fragments ------------------------------------------------------------------- */

uint32_t response_resolve(const struct response *response, const struct fragment *rrs,
                          const struct place *place, uint16_t pointer)
{
    unsigned value = (pointer & WIRE_POINTER_MAX) - WIRE_HEADER_SIZE;

    if (value == 0)
        return place->owner;
    if (value < rrs->owner_length)
        return response_suffix(response, place->owner, value + place->skip);
    if (place->base == 0)
        return 0;
    return place->base + value - rrs->owner_length - FRAGMENT_QUESTION_TAIL;
}

/* How stored pointers are mended. Where the owner is a suffix of QNAME, which is not compressed,
 * they are moved by so much; elsewhere (`moves` is false) each is looked up. */
struct mending {
    const struct response *response;
    const struct fragment *rrs;
    const struct place *place;
    bool moves;
    uint16_t border; /* from this value on, pointers lead into RDATA */
    uint16_t name;   /* what is added to those below it, ... */
    uint16_t rdata;  /* ... and to those from it on: modulo 2^16 */
};

static struct mending begin_mending(const struct response *response, const struct fragment *rrs,
                                    const struct place *place)
{
    unsigned home = (unsigned)WIRE_HEADER_SIZE + rrs->owner_length;

    return (struct mending){
        .response = response,
        .rrs = rrs,
        .place = place,
        .moves = place->owner < response->question_end && place->skip == 0 && place->base != 0,
        .border = (uint16_t)(WIRE_POINTER_TAG | home),
        .name = (uint16_t)(place->owner - WIRE_HEADER_SIZE),
        .rdata = (uint16_t)(place->base - home - FRAGMENT_QUESTION_TAIL)};
}

static void mend_pointer(const struct mending *mending, uint8_t *at)
{
    uint16_t pointer = wire_read_u16(at);

    if (mending->moves)
        pointer = (uint16_t)(pointer +
                             (pointer < mending->border ? mending->name : mending->rdata));
    else
        pointer = (uint16_t)(WIRE_POINTER_TAG | response_resolve(mending->response, mending->rrs,
                                                                  mending->place, pointer));
    wire_write_u16(at, pointer);
}

static void mend_pointers(const struct mending *mending, uint8_t *octets, unsigned first)
{
    const struct fragment *rrs = mending->rrs;

    for (unsigned i = first; i < rrs->pointer_count; i++)
        mend_pointer(mending, octets + rrs->pointers[i]);
}

/* The same in a run of RRs whose owner pointers are their only ones. */
static void mend_run(const struct mending *mending, uint8_t *rr, const uint8_t *end)
{
    while (rr < end) {
        mend_pointer(mending, rr);
        rr += RR_HEADER_SIZE + wire_read_u16(rr + RR_HEADER_SIZE - 2);
    }
}

/* Do the stored pointers hold as they are? (See fragment.h: the commonest place.) */
static bool is_at_home(const struct fragment *rrs, const struct place *place)
{
    return place->owner == WIRE_HEADER_SIZE && place->skip == 0 &&
           place->base == (uint32_t)WIRE_HEADER_SIZE + rrs->owner_length + FRAGMENT_QUESTION_TAIL;
}

/* Makes the owner pointer of each RR in a run without a pointer list lead to `owner`. */
static void mend_owners(uint8_t *rr, const uint8_t *end, uint32_t owner)
{
    while (rr < end) {
        wire_write_u16(rr, (uint16_t)(WIRE_POINTER_TAG | owner));
        rr += RR_HEADER_SIZE + wire_read_u16(rr + RR_HEADER_SIZE - 2);
    }
}

/* --- writing where every pointer reaches ----------------------------------------------------- */

/* Writes the owner's name at the end of the message, from `apex` on by a pointer: what is written
 * near lies within the reach of one. */
static void write_owner(struct response *response, struct place *place)
{
    uint8_t *to = response->wire + response->at;

    place->owner = response->at;
    memcpy(to, place->labels, place->labels_length);
    to += place->labels_length;
    response->at += place->labels_length;
    if (place->apex != 0) {
        wire_write_u16(to, (uint16_t)(WIRE_POINTER_TAG | place->apex));
        response->at += WIRE_POINTER_SIZE;
    } else {
        memcpy(to, place->apex_name, place->apex_length);
        response->at += place->apex_length;
    }
}

static void put_near(struct response *response, const struct fragment *rrs,
                     const struct fragment *signatures, struct place *place)
{
    unsigned passed = 0; /* octets of the fragment, and pointers of its list, already written */

    if (place->owner == 0) {
        write_owner(response, place);
        passed = WIRE_POINTER_SIZE;
    }
    place->base = response->at - passed;
    place->rdata = place->base + RR_HEADER_SIZE;
    octets_copy(response->wire + response->at, rrs->octets + passed, rrs->length - passed);
    response->at += rrs->length - passed;
    if (!is_at_home(rrs, place)) {
        struct mending mending = begin_mending(response, rrs, place);
        mend_pointers(&mending, response->wire + place->base, passed != 0);
    }
    if (signatures == NULL)
        return;
    uint8_t *to = response->wire + response->at;
    memcpy(to, signatures->octets, signatures->length);
    response->at += signatures->length;
    if (place->owner != WIRE_HEADER_SIZE)
        mend_owners(to, to + signatures->length, place->owner);
}

/* --- writing past the reach of pointers ------------------------------------------------------ */

/*
 * From octet 16,384 on, a name cannot be pointed to (RFC 1035 §4.1.4). Such RRs are written name by
 * name: by a pointer where the name stands low enough, else in full. Slow, and rare: only large TCP
 * responses come here.
 */
struct far {
    struct response *response;
    const struct fragment *rrs;
    const struct place *place;
    bool full; /* something did not fit */
};

static void far_octets(struct far *far, const uint8_t *octets, size_t length)
{
    struct response *response = far->response;

    if (far->full || response->limit - response->at < length) {
        far->full = true;
        return;
    }
    memcpy(response->wire + response->at, octets, length);
    response->at += (uint32_t)length;
}

static void far_name_at(struct far *far, uint32_t offset)
{
    uint8_t name[NAME_OCTETS_MAX];

    if (offset <= WIRE_POINTER_MAX) {
        wire_write_u16(name, (uint16_t)(WIRE_POINTER_TAG | offset));
        far_octets(far, name, WIRE_POINTER_SIZE);
    } else {
        far_octets(far, name, copy_name(far->response->wire, offset, name));
    }
}

/* Writes the name that a stored pointer stands for. If that is a place in the fragment's own RDATA
 * which cannot be pointed to, the labels are taken from there, up to the root or a further
 * pointer. */
static void far_pointer(struct far *far, uint16_t pointer)
{
    unsigned inside = WIRE_HEADER_SIZE + far->rrs->owner_length + FRAGMENT_QUESTION_TAIL;

    for (;;) {
        uint32_t offset = response_resolve(far->response, far->rrs, far->place, pointer);
        if (offset != 0) {
            far_name_at(far, offset);
            return;
        }
        const uint8_t *label = far->rrs->octets + (pointer & WIRE_POINTER_MAX) - inside;
        for (; *label != 0 && *label <= NAME_LABEL_OCTETS_MAX; label += 1 + *label)
            far_octets(far, label, 1u + *label);
        if (*label == 0) {
            far_octets(far, label, 1);
            return;
        }
        pointer = wire_read_u16(label);
    }
}

/* Copies octets [from, to) of the fragment, with what its pointers in there stand for. */
static void far_span(struct far *far, unsigned from, unsigned to, unsigned *next_pointer)
{
    const struct fragment *rrs = far->rrs;

    while (*next_pointer < rrs->pointer_count && rrs->pointers[*next_pointer] < to) {
        unsigned at = rrs->pointers[(*next_pointer)++];
        far_octets(far, rrs->octets + from, at - from);
        far_pointer(far, wire_read_u16(rrs->octets + at));
        from = at + WIRE_POINTER_SIZE;
    }
    far_octets(far, rrs->octets + from, to - from);
}

static void far_rrs(struct far *far, struct place *place, bool owner_is_written)
{
    const struct fragment *rrs = far->rrs;
    unsigned at = 0, from = 0, next_pointer = 0;

    if (owner_is_written) {
        from = WIRE_POINTER_SIZE;
        next_pointer = 1;
    }
    while (at < rrs->length && !far->full) {
        unsigned rdata = at + RR_HEADER_SIZE;
        unsigned end = rdata + wire_read_u16(rrs->octets + rdata - 2);
        far_span(far, from, rdata, &next_pointer);
        uint32_t written = far->response->at;
        if (at == 0)
            place->rdata = written;
        far_span(far, rdata, end, &next_pointer);
        if (!far->full)
            wire_write_u16(far->response->wire + written - 2,
                           (uint16_t)(far->response->at - written));
        at = from = end;
    }
}

/* RRs whose owner pointer is their only one: signatures and glue. */
static void far_plain_rrs(struct far *far, const struct fragment *run)
{
    const uint8_t *rr = run->octets;
    const uint8_t *end = rr + run->length;

    while (rr < end) {
        size_t length = (size_t)RR_HEADER_SIZE + wire_read_u16(rr + RR_HEADER_SIZE - 2);
        far_pointer(far, wire_read_u16(rr));
        far_octets(far, rr + WIRE_POINTER_SIZE, length - WIRE_POINTER_SIZE);
        rr += length;
    }
}

static void far_owner(struct far *far, struct place *place)
{
    place->owner = far->response->at;
    far_octets(far, place->labels, place->labels_length);
    if (place->apex != 0)
        far_name_at(far, place->apex);
    else
        far_octets(far, place->apex_name, place->apex_length);
}

/* False if there is no room: then nothing is written. */
static bool put_far(struct response *response, const struct fragment *rrs,
                    const struct fragment *signatures, struct place *place)
{
    struct far far = {.response = response, .rrs = rrs, .place = place};
    struct response mark = *response;
    struct place home = *place;
    bool write_owner_first = place->owner == 0;

    place->base = 0;
    if (write_owner_first)
        far_owner(&far, place);
    if (!far.full)
        far_rrs(&far, place, write_owner_first);
    if (!far.full && signatures != NULL)
        far_plain_rrs(&far, signatures);
    if (far.full) {
        *response = mark;
        *place = home;
    }
    return !far.full;
}

static bool put_run_far(struct response *response, const struct fragment *run,
                        const struct fragment *rrs, const struct place *place)
{
    struct far far = {.response = response, .rrs = rrs, .place = place};
    struct response mark = *response;

    far_plain_rrs(&far, run);
    if (far.full)
        *response = mark;
    return !far.full;
}

/* --- RRsets ---------------------------------------------------------------------------------- */

/* Octets that writing the owner adds to those of the first RR's pointer. */
static size_t owner_surplus(const struct place *place)
{
    if (place->owner != 0)
        return 0;
    return place->labels_length +
           (place->apex != 0 ? (size_t)WIRE_POINTER_SIZE : place->apex_length) - WIRE_POINTER_SIZE;
}

static void count(struct response *response, enum section section, unsigned rrs)
{
    response->counts[section] = (uint16_t)(response->counts[section] + rrs);
}

bool response_put(struct response *response, enum section section, const struct fragment *rrs,
                  const struct fragment *signatures, struct place *place)
{
    size_t length = owner_surplus(place) + rrs->length + (signatures ? signatures->length : 0u);

    if (response->at + length <= WIRE_POINTER_MAX && place->owner <= WIRE_POINTER_MAX) {
        if (length > response->limit - response->at)
            return false;
        put_near(response, rrs, signatures, place);
    } else if (!put_far(response, rrs, signatures, place)) {
        return false;
    }
    count(response, section, rrs->count + (signatures ? signatures->count : 0u));
    return true;
}

bool response_put_run(struct response *response, enum section section, const struct fragment *run,
                      const struct fragment *rrs, const struct place *place)
{
    if (place->base != 0 && response->at + run->length <= WIRE_POINTER_MAX) {
        if (run->length > response->limit - response->at)
            return false;
        uint8_t *to = response->wire + response->at;
        struct mending mending = begin_mending(response, rrs, place);
        octets_copy(to, run->octets, run->length);
        response->at += run->length;
        mend_run(&mending, to, to + run->length);
    } else if (!put_run_far(response, run, rrs, place)) {
        return false;
    }
    count(response, section, run->count);
    return true;
}

bool response_put_cname(struct response *response, uint32_t owner, uint32_t ttl,
                        const uint8_t *prefix, size_t prefix_length, uint32_t target,
                        uint32_t *rdata)
{
    struct response mark = *response;
    struct far far = {.response = response};
    uint8_t fixed[WIRE_RR_FIXED_SIZE];

    wire_write_u16(fixed, TYPE_CNAME);
    wire_write_u16(fixed + 2, CLASS_IN);
    wire_write_u32(fixed + 4, ttl);
    far_name_at(&far, owner);
    far_octets(&far, fixed, sizeof fixed);
    *rdata = response->at;
    far_octets(&far, prefix, prefix_length);
    far_name_at(&far, target);
    if (far.full) {
        *response = mark;
        return false;
    }
    wire_write_u16(response->wire + *rdata - 2, (uint16_t)(response->at - *rdata));
    count(response, SECTION_ANSWER, 1);
    return true;
}

size_t response_cut(uint8_t *wire, size_t length)
{
    enum { COUNTS = 6, TYPE_AND_CLASS = 4 };
    size_t end = WIRE_HEADER_SIZE;

    if (wire_read_u16(wire + 4) > 0) {
        while (end < length && wire[end] > 0)
            end += 1u + wire[end];
        end += 1 + TYPE_AND_CLASS;
    }
    if (end > length) {
        wire_write_u16(wire + 4, 0);
        end = WIRE_HEADER_SIZE;
    }
    wire[2] |= FLAG_TC >> 8;
    memset(wire + COUNTS, 0, WIRE_HEADER_SIZE - COUNTS);
    return end;
}
