#include "server/dnstap/ring.h"

#include <assert.h>
#include <string.h>

static_assert((RING_OCTETS & (RING_OCTETS - 1)) == 0, "places are found by a mask");
static_assert(sizeof(struct ring_record) % RING_ALIGNMENT == 0, "octets follow without a gap");

static size_t place_of(uint64_t count)
{
    return (size_t)(count & (RING_OCTETS - 1));
}

/* An end that is damaged is somewhere between two records. */
static uint64_t aligned(uint64_t end)
{
    return (end + RING_ALIGNMENT - 1) & ~((uint64_t)RING_ALIGNMENT - 1);
}

static size_t size_of(const struct ring_record *record)
{
    return (size_t)aligned(sizeof *record + record->query_length + record->response_length);
}

/* --- the writer ---------------------------------------------------------------------- */

/* The rest of the ring, if a record does not fit there. Only the first octets are written, which is
 * all that there may be. */
static void put_filler(struct ring *ring, size_t place, size_t size)
{
    const struct ring_record filler = {.size = (uint32_t)size};

    memcpy(ring->octets + place, &filler, offsetof(struct ring_record, query_time));
}

bool ring_put(struct ring *ring, const struct ring_record *record, const uint8_t *query,
              const uint8_t *response)
{
    uint64_t head = aligned(atomic_load_explicit(&ring->head, memory_order_relaxed));
    uint64_t used = head - atomic_load_explicit(&ring->tail, memory_order_acquire);
    size_t size = size_of(record), place = place_of(head);
    size_t filler = size > RING_OCTETS - place ? RING_OCTETS - place : 0;

    if (used > RING_OCTETS || filler + size > RING_OCTETS - used)
        return false;
    if (filler > 0)
        put_filler(ring, place, filler);
    uint8_t *at = ring->octets + place_of(head + filler);
    struct ring_record whole = *record;
    whole.size = (uint32_t)size;
    memcpy(at, &whole, sizeof whole);
    memcpy(at + sizeof whole, query, record->query_length);
    memcpy(at + sizeof whole + record->query_length, response, record->response_length);
    atomic_store_explicit(&ring->head, head + filler + size, memory_order_release);
    return true;
}

/* --- the reader ---------------------------------------------------------------------- */

void ring_start(struct ring_reader *reader, struct ring *ring)
{
    reader->ring = ring;
    reader->at = aligned(atomic_load_explicit(&ring->tail, memory_order_relaxed));
}

static enum ring_outcome give_up(struct ring_reader *reader, uint64_t head)
{
    reader->at = head;
    return RING_DAMAGED;
}

/* May a record, or filler, of this size be here? */
static bool is_possible(const struct ring_record *record, size_t place, uint64_t waiting)
{
    bool is_filler = record->query_length == 0 && record->response_length == 0;

    if (record->size > waiting || record->size > RING_OCTETS - place)
        return false;
    return is_filler ? record->size == RING_OCTETS - place
                     : record->size == size_of(record) &&
                           (record->address_length == 4 || record->address_length == 16);
}

/* The record is copied first, so that it stays as it was looked at. */
static void copy_record(struct ring_record *record, const struct ring *ring, size_t place)
{
    size_t room = RING_OCTETS - place;

    *record = (struct ring_record){0};
    memcpy(record, ring->octets + place, room < sizeof *record ? room : sizeof *record);
}

enum ring_outcome ring_read(struct ring_reader *reader, struct ring_record *record,
                            const uint8_t **octets)
{
    struct ring *ring = reader->ring;
    uint64_t head = aligned(atomic_load_explicit(&ring->head, memory_order_acquire));

    while (reader->at != head) {
        size_t place = place_of(reader->at);
        if (head - reader->at > RING_OCTETS)
            return give_up(reader, head);
        copy_record(record, ring, place);
        if (!is_possible(record, place, head - reader->at))
            return give_up(reader, head);
        reader->at += record->size;
        if (record->query_length > 0 || record->response_length > 0) {
            *octets = ring->octets + place + sizeof *record;
            return RING_RECORD;
        }
    }
    return RING_NOTHING;
}

void ring_commit(const struct ring_reader *reader)
{
    atomic_store_explicit(&reader->ring->tail, reader->at, memory_order_release);
}
