#include "message/record.h"

#include "message/name.h"
#include "message/wire.h"

#include <string.h>

/* What is being written. */
struct writer {
    struct response *response;
    struct record_owner *owner;
    const struct fragment *rrs;
    bool full; /* something did not fit */
};

static void put_octets(struct writer *writer, const uint8_t *octets, size_t length)
{
    struct response *response = writer->response;

    if (writer->full || response->limit - response->at < length) {
        writer->full = true;
        return;
    }
    octets_copy(response->wire + response->at, octets, length);
    response->at += (uint32_t)length;
}

static void put_pointer_to(struct writer *writer, uint32_t offset)
{
    uint8_t pointer[WIRE_POINTER_SIZE];

    wire_write_u16(pointer, (uint16_t)(WIRE_POINTER_TAG | offset));
    put_octets(writer, pointer, sizeof pointer);
}

/* QNAME; the root is shorter than a pointer to it. */
static void put_apex(struct writer *writer)
{
    const uint8_t *qname = writer->response->wire + WIRE_HEADER_SIZE;

    if (*qname == 0)
        put_octets(writer, qname, 1);
    else
        put_pointer_to(writer, WIRE_HEADER_SIZE);
}

/* The owner's suffix from its octet `k` on, which ends no higher than the apex. */
static void put_owner_suffix(struct writer *writer, unsigned k)
{
    const struct record_owner *owner = writer->owner;

    if (k < owner->labels_length && owner->at != 0 && owner->at + k <= WIRE_POINTER_MAX) {
        put_pointer_to(writer, owner->at + k);
        return;
    }
    put_octets(writer, owner->labels + k, owner->labels_length - k);
    put_apex(writer);
}

/* The first time, it is remembered where it stands. */
static void put_owner(struct writer *writer)
{
    struct record_owner *owner = writer->owner;
    uint32_t at = writer->response->at;

    put_owner_suffix(writer, 0);
    if (owner->at == 0 && at <= WIRE_POINTER_MAX && !writer->full)
        owner->at = at;
}

/* The name that a stored pointer stands for. If that is a place in the RDATA of the RRset, the
 * labels are taken from there, up to the root or a further pointer. */
static void put_pointed(struct writer *writer, uint16_t pointer)
{
    const struct fragment *rrs = writer->rrs;

    for (;;) {
        unsigned k = (unsigned)pointer - FRAGMENT_OWNER_POINTER;
        if (k < rrs->owner_length) {
            put_owner_suffix(writer, k);
            return;
        }
        const uint8_t *label =
            rrs->octets + k - rrs->owner_length - (unsigned)FRAGMENT_QUESTION_TAIL;
        const uint8_t *first = label;
        while (*label != 0 && *label <= NAME_LABEL_OCTETS_MAX)
            label += 1 + *label;
        if (*label == 0) {
            put_octets(writer, first, (size_t)(label - first) + 1);
            return;
        }
        put_octets(writer, first, (size_t)(label - first));
        pointer = wire_read_u16(label);
    }
}

/* RDATA of the RRset itself: pointers in it are listed. */
static void put_rdata(struct writer *writer, unsigned from, unsigned end,
                      struct record_position *position)
{
    const struct fragment *rrs = writer->rrs;

    while (position->pointer < rrs->pointer_count && rrs->pointers[position->pointer] < end) {
        unsigned at = rrs->pointers[position->pointer++];
        put_octets(writer, rrs->octets + from, at - from);
        put_pointed(writer, wire_read_u16(rrs->octets + at));
        from = at + WIRE_POINTER_SIZE;
    }
    put_octets(writer, rrs->octets + from, end - from);
}

bool record_put(struct response *response, struct record_owner *owner, const struct fragment *rrs,
                const struct fragment *run, struct record_position *position)
{
    const uint8_t *rr = run->octets + position->octet;
    unsigned rdata = position->octet + WIRE_POINTER_SIZE + WIRE_RR_FIXED_SIZE;
    unsigned end = rdata + wire_read_u16(run->octets + rdata - 2);
    struct writer writer = {.response = response, .owner = owner, .rrs = rrs};
    struct record_position next = {.octet = end, .pointer = position->pointer};
    uint16_t pointer = wire_read_u16(rr);
    uint32_t start = response->at, owner_at = owner->at;

    if (pointer == FRAGMENT_OWNER_POINTER)
        put_owner(&writer);
    else
        put_pointed(&writer, pointer);
    put_octets(&writer, rr + WIRE_POINTER_SIZE, WIRE_RR_FIXED_SIZE);
    uint32_t written = response->at;
    if (run == rrs) {
        next.pointer++; /* past the owner */
        put_rdata(&writer, rdata, end, &next);
    } else {
        put_octets(&writer, run->octets + rdata, end - rdata);
    }
    if (writer.full) {
        response->at = start;
        owner->at = owner_at;
        return false;
    }
    wire_write_u16(response->wire + written - 2, (uint16_t)(response->at - written));
    response->counts[SECTION_ANSWER]++;
    *position = next;
    return true;
}
