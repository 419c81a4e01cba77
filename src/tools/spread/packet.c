#include "tools/spread/packet.h"

#include "message/codes.h"
#include "message/name.h"
#include "message/wire.h"

#include <string.h>

enum { FLAG_RESPONSE = 0x80, OPT_SIZE = 11, OPTION_SIZE = 4 };

/* Writes `text` as a name in wire form. Returns its length, or 0 if it is none. */
static size_t write_name(uint8_t wire[NAME_OCTETS_MAX], const char *text)
{
    size_t length = 0;

    while (*text != '\0' && strcmp(text, ".") != 0) {
        size_t label = strcspn(text, ".");
        if (label == 0 || label > NAME_LABEL_OCTETS_MAX || length + label + 2 > NAME_OCTETS_MAX)
            return 0;
        wire[length++] = (uint8_t)label;
        memcpy(wire + length, text, label);
        length += label;
        text += label;
        text += *text == '.' && text[1] != '\0';
    }
    wire[length++] = 0;
    return length;
}

bool packet_ask(struct packet *packet, const char *name)
{
    uint8_t *at = packet->octets;

    memset(packet, 0, sizeof *packet);
    wire_write_u16(at + 4, 1);  /* QDCOUNT */
    wire_write_u16(at + 10, 1); /* ARCOUNT */
    at += WIRE_HEADER_SIZE;
    size_t length = write_name(at, name);
    if (length == 0)
        return false;
    at += length;
    wire_write_u16(at, TYPE_A);
    wire_write_u16(at + 2, CLASS_IN);
    at += 4;
    wire_write_u16(at + 1, TYPE_OPT); /* behind its owner, the root */
    wire_write_u16(at + 3, PACKET_REPLY_MAX);
    wire_write_u16(at + 9, OPTION_SIZE);
    at += OPT_SIZE;
    wire_write_u16(at, OPTION_NSID);
    packet->length = (uint16_t)(at + OPTION_SIZE - packet->octets);
    return true;
}

/* --- reading: `at` runs through the message, and is NULL once something does not fit -----------
 */

static const uint8_t *skip(const uint8_t *at, const uint8_t *end, size_t octets)
{
    return at != NULL && (size_t)(end - at) >= octets ? at + octets : NULL;
}

static const uint8_t *skip_name(const uint8_t *at, const uint8_t *end)
{
    while (at != NULL && at < end) {
        if (*at == 0)
            return at + 1;
        if (*at >= WIRE_POINTER_TAG >> 8)
            return skip(at, end, WIRE_POINTER_SIZE);
        at = skip(at, end, 1 + (size_t)*at);
    }
    return NULL;
}

static void read_options(struct packet_reply *reply, const uint8_t *at, const uint8_t *end)
{
    while (end - at >= OPTION_SIZE) {
        size_t length = wire_read_u16(at + 2);
        const uint8_t *value = at + OPTION_SIZE;
        if ((size_t)(end - value) < length)
            return;
        if (wire_read_u16(at) == OPTION_NSID && length > 0) {
            reply->nsid = value;
            reply->nsid_length = length;
        }
        at = value + length;
    }
}

/* Looks at the record at `at`. Returns where the next one is. */
static const uint8_t *read_record(struct packet_reply *reply, const uint8_t *at, const uint8_t *end)
{
    const uint8_t *fixed = skip_name(at, end);
    const uint8_t *data = skip(fixed, end, WIRE_RR_FIXED_SIZE);

    if (data == NULL)
        return NULL;
    size_t length = wire_read_u16(fixed + 8);
    const uint8_t *next = skip(data, end, length);
    if (next != NULL && wire_read_u16(fixed) == TYPE_OPT)
        read_options(reply, data, next);
    return next;
}

bool packet_read(struct packet_reply *reply, const uint8_t *message, size_t length)
{
    const uint8_t *at = message + WIRE_HEADER_SIZE, *end = message + length;

    *reply = (struct packet_reply){0};
    if (length < WIRE_HEADER_SIZE || (message[2] & FLAG_RESPONSE) == 0)
        return false;
    reply->id = wire_read_u16(message);
    for (unsigned n = wire_read_u16(message + 4); n > 0 && at != NULL; n--)
        at = skip(skip_name(at, end), end, 4);
    unsigned records = 0;
    for (size_t count = 6; count <= 10; count += 2)
        records += wire_read_u16(message + count);
    while (records-- > 0 && at != NULL)
        at = read_record(reply, at, end);
    return true;
}
