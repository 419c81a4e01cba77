#include "zone/bitmap.h"

#include <string.h>

enum { WINDOW_OCTETS = 32 };

void bitmap_add(struct bitmap *bitmap, uint16_t type)
{
    uint8_t *used = &bitmap->used[type / 256];
    uint8_t needed = (uint8_t)(type % 256 / 8 + 1);

    bitmap->bits[type / 8] |= (uint8_t)(0x80 >> type % 8);
    if (*used < needed)
        *used = needed;
}

size_t bitmap_write(const struct bitmap *bitmap, uint8_t *to, size_t room)
{
    size_t at = 0;

    for (unsigned window = 0; window < 256; window++) {
        unsigned used = bitmap->used[window];
        if (used == 0)
            continue;
        if (at + 2 + used > room)
            return SIZE_MAX;
        to[at] = (uint8_t)window;
        to[at + 1] = (uint8_t)used;
        memcpy(to + at + 2, bitmap->bits + window * WINDOW_OCTETS, used);
        at += 2 + used;
    }
    return at;
}

bool bitmap_is_valid(const uint8_t *wire, size_t length)
{
    int window = -1;

    while (length > 0) {
        if (length < 3 || wire[0] <= window)
            return false;
        unsigned used = wire[1];
        if (used < 1 || used > WINDOW_OCTETS || length < 2 + used || wire[1 + used] == 0)
            return false;
        window = wire[0];
        wire += 2 + used;
        length -= 2 + used;
    }
    return true;
}
