#include "zone/fragment_writer.h"

#include "message/codes.h"
#include "message/rdata_names.h"
#include "message/wire.h"

#include <assert.h>
#include <string.h>

static_assert(FRAGMENT_RRS_MAX <= FRAGMENT_POINTERS_MAX, "each RR's owner is a pointer");

void fragment_writer_start(struct fragment_writer *writer, const uint8_t *owner,
                           unsigned owner_length, unsigned apex_length)
{
    name_read(&writer->owner, owner, owner_length);
    writer->apex_length = (uint8_t)apex_length;
    writer->wildcard = owner[0] == 1 && owner[1] == '*';
    /* A wildcard's RRs are sent under names of any length. */
    unsigned qname = writer->wildcard ? NAME_OCTETS_MAX : owner_length;
    writer->limit = WIRE_MESSAGE_MAX - WIRE_HEADER_SIZE - FRAGMENT_QUESTION_TAIL - qname;
    fragment_writer_restart(writer);
}

void fragment_writer_restart(struct fragment_writer *writer)
{
    writer->oversize = false;
    writer->count = 0;
    writer->length = 0;
    writer->pointer_count = 0;
    writer->known_count = 0;
}

static void put(struct fragment_writer *writer, const void *octets, size_t length)
{
    if (length > 0)
        memcpy(writer->octets + writer->length, octets, length);
    writer->length += length;
}

static void put_u16(struct fragment_writer *writer, unsigned value)
{
    wire_write_u16(writer->octets + writer->length, (uint16_t)value);
    writer->length += 2;
}

static void put_pointer(struct fragment_writer *writer, uint16_t pointer)
{
    if (writer->pointer_count == FRAGMENT_POINTERS_MAX) {
        writer->oversize = true;
        return;
    }
    writer->pointers[writer->pointer_count++] = (uint16_t)writer->length;
    put_u16(writer, pointer);
}

/* Is `name`, from its label `first` on, a suffix of the owner that a pointer may name? */
static bool is_owner_suffix(const struct fragment_writer *writer, const struct name *name,
                            unsigned first, uint16_t *pointer)
{
    const struct name *owner = &writer->owner;
    unsigned labels = (unsigned)name->labels - first;
    unsigned length = name_suffix_length(name, first);

    if (labels > owner->labels || length < writer->apex_length)
        return false;
    unsigned owner_first = owner->labels - labels;
    if (name_suffix_length(owner, owner_first) != length ||
        (writer->wildcard && owner_first == 0) ||
        memcmp(name_suffix(owner, owner_first), name_suffix(name, first), length) != 0)
        return false;
    *pointer = fragment_pointer_suffix(owner->offset[owner_first]);
    return true;
}

static bool equals_known(const struct fragment_known *known, const uint8_t *lower)
{
    uint8_t other[NAME_OCTETS_MAX];

    name_copy_lower(other, known->wire, known->length);
    return memcmp(other, lower, known->length) == 0;
}

static bool is_known(const struct fragment_writer *writer, const struct name *name, unsigned first,
                     uint32_t hash, uint16_t *pointer)
{
    unsigned length = name_suffix_length(name, first);

    for (size_t i = 0; i < writer->known_count; i++) {
        const struct fragment_known *known = &writer->known[i];
        if (known->hash != hash || known->length != length ||
            !equals_known(known, name_suffix(name, first)))
            continue;
        *pointer = fragment_pointer_within(writer->owner.length, known->at);
        return true;
    }
    return false;
}

/* hashes[i]: of the name from label i on. */
static void hash_suffixes(const struct name *name, uint32_t hashes[NAME_LABELS_MAX + 1])
{
    uint32_t hash = 0;

    for (unsigned i = name->labels; i-- > 0;) {
        const uint8_t *label = name_suffix(name, i);
        for (unsigned j = 0; j <= label[0]; j++)
            hash = (hash ^ label[j]) * 16777619;
        hashes[i] = hash;
    }
}

static void remember(struct fragment_writer *writer, const uint8_t *wire, const struct name *name,
                     unsigned first, uint32_t hash, size_t at)
{
    if (at > FRAGMENT_TARGET_MAX || writer->known_count == FRAGMENT_KNOWN_MAX)
        return;
    writer->known[writer->known_count++] = (struct fragment_known){
        .wire = wire + name->offset[first],
        .hash = hash,
        .at = (uint16_t)at,
        .length = (uint8_t)name_suffix_length(name, first),
    };
}

/* Writes the name at `wire` as short as it gets; returns the octets it took there. */
static size_t put_compressed(struct fragment_writer *writer, const uint8_t *wire, size_t available)
{
    uint32_t hashes[NAME_LABELS_MAX + 1];
    struct name name;
    size_t taken = name_read(&name, wire, available);

    hash_suffixes(&name, hashes);
    for (unsigned i = 0; i < name.labels; i++) {
        const uint8_t *label = wire + name.offset[i];
        uint16_t pointer;
        if (is_owner_suffix(writer, &name, i, &pointer) ||
            is_known(writer, &name, i, hashes[i], &pointer)) {
            put_pointer(writer, pointer);
            return taken;
        }
        remember(writer, wire, &name, i, hashes[i], writer->length);
        put(writer, label, label[0] + 1u);
    }
    put(writer, "", 1);
    return taken;
}

static void put_rdata(struct fragment_writer *writer, uint16_t type, const uint8_t *rdata,
                      size_t length)
{
    struct rdata_names names = rdata_names_of(type);
    size_t at = names.compressible ? names.before : 0;

    put(writer, rdata, at);
    for (unsigned i = 0; names.compressible && i < names.count; i++)
        at += put_compressed(writer, rdata + at, length - at);
    put(writer, rdata + at, length - at);
}

static void put_after_owner(struct fragment_writer *writer, uint16_t type, uint32_t ttl,
                            const uint8_t *rdata, size_t length)
{
    put_u16(writer, type);
    put_u16(writer, CLASS_IN);
    wire_write_u32(writer->octets + writer->length, ttl);
    writer->length += 4;
    size_t rdlength_at = writer->length;
    writer->length += 2;
    put_rdata(writer, type, rdata, length);
    wire_write_u16(writer->octets + rdlength_at, (uint16_t)(writer->length - rdlength_at - 2));
    writer->count++;
    if (writer->length > writer->limit)
        writer->oversize = true;
}

void fragment_writer_add(struct fragment_writer *writer, uint16_t type, uint32_t ttl,
                         const uint8_t *rdata, size_t length)
{
    if (writer->oversize)
        return;
    writer->last_rr = writer->length;
    put_pointer(writer, FRAGMENT_OWNER_POINTER);
    put_after_owner(writer, type, ttl, rdata, length);
}

void fragment_writer_add_unlisted(struct fragment_writer *writer, uint16_t owner, uint16_t type,
                                  uint32_t ttl, const uint8_t *rdata, size_t length)
{
    if (writer->oversize)
        return;
    put_u16(writer, owner);
    put_after_owner(writer, type, ttl, rdata, length);
}

uint16_t fragment_writer_last_name(const struct fragment_writer *writer, size_t offset)
{
    size_t at = writer->last_rr + WIRE_POINTER_SIZE + WIRE_RR_FIXED_SIZE + offset;
    const uint8_t *name = writer->octets + at;

    if (name[0] >= WIRE_POINTER_TAG >> 8)
        return wire_read_u16(name);
    return name[0] != 0 && at <= FRAGMENT_TARGET_MAX
               ? fragment_pointer_within(writer->owner.length, (unsigned)at)
               : 0;
}
