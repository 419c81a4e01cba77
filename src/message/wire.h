/*
 * Integers on the wire: big-endian (RFC 1035 §2.3.2), at any alignment.
 */
#ifndef SORREL_MESSAGE_WIRE_H
#define SORREL_MESSAGE_WIRE_H

#include <stdint.h>

static inline uint16_t wire_read_u16(const uint8_t *at)
{
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

static inline uint32_t wire_read_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void wire_write_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void wire_write_u32(uint8_t *at, uint32_t value)
{
    wire_write_u16(at, (uint16_t)(value >> 16));
    wire_write_u16(at + 2, (uint16_t)value);
}

/* Sizes and offsets every layer needs (RFC 1035 §4.1). */
enum {
    WIRE_HEADER_SIZE = 12,
    WIRE_ID_SIZE = 2,          /* which the header begins with */
    WIRE_RR_FIXED_SIZE = 10,   /* TYPE, CLASS, TTL, RDLENGTH */
    WIRE_POINTER_SIZE = 2,     /* a compression pointer (§4.1.4) */
    WIRE_POINTER_TAG = 0xC000, /* its two top bits */
    WIRE_POINTER_MAX = 0x3FFF, /* the furthest offset it can name */
    WIRE_MESSAGE_MAX = 65535,
    WIRE_UDP_PLAIN_MAX = 512, /* without EDNS (§4.2.1) */
};

#endif
