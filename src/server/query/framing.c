#include "server/query/framing.h"

#include "message/wire.h"

#include <assert.h>
#include <string.h>

bool framing_has_message(const struct framing *framing)
{
    size_t held = framing->end - framing->start;

    return held >= FRAMING_PREFIX &&
           held - FRAMING_PREFIX >= wire_read_u16(framing->octets + framing->start);
}

const uint8_t *framing_next(struct framing *framing, size_t *length)
{
    if (!framing_has_message(framing))
        return NULL;
    const uint8_t *frame = framing->octets + framing->start;
    *length = wire_read_u16(frame);
    framing->start += FRAMING_PREFIX + *length;
    return frame + FRAMING_PREFIX;
}

uint8_t *framing_room(struct framing *framing, size_t *room)
{
    size_t held = framing->end - framing->start;

    if (framing->start > 0) {
        memmove(framing->octets, framing->octets + framing->start, held);
        framing->start = 0;
        framing->end = held;
    }
    *room = FRAMING_ROOM - held;
    return framing->octets + held;
}

void framing_add(struct framing *framing, size_t count)
{
    assert(count <= FRAMING_ROOM - framing->end);
    framing->end += count;
}
