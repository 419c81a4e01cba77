/*
 * DNS messages in a TCP stream: two octets of length before each (RFC 1035 §4.2.2, RFC 7766 §8),
 * split over segments in any way. Pure.
 */
#ifndef SORREL_SERVER_FRAMING_H
#define SORREL_SERVER_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAMING_PREFIX = 2, FRAMING_ROOM = FRAMING_PREFIX + 65535 };

/* octets[start..end) is what has arrived and is not yet taken. */
struct framing {
    uint8_t *octets; /* FRAMING_ROOM of them, so that the longest message fits */
    size_t start;
    size_t end;
};

static inline void framing_init(struct framing *framing, uint8_t *octets)
{
    *framing = (struct framing){octets, 0, 0};
}

/* Is a whole message there? */
bool framing_has_message(const struct framing *framing);

/* The next whole message, and past it; NULL if there is none. Valid until framing_room(). */
const uint8_t *framing_next(struct framing *framing, size_t *length);

/* Where to read more into, and how much fits: never 0 unless a whole message is there. */
uint8_t *framing_room(struct framing *framing, size_t *room);

/* `count` octets have been read into the room. */
void framing_add(struct framing *framing, size_t count);

#endif
