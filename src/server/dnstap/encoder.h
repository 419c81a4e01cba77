/*
 * Records of a ring as dnstap has them: Protocol Buffers, as dnstap.proto describes.
 */
#ifndef SORREL_SERVER_ENCODER_H
#define SORREL_SERVER_ENCODER_H

#include "server/dnstap/ring.h"

#include <stddef.h>
#include <stdint.h>

enum {
    /* The longest message, and some 200 octets around it. */
    ENCODER_FRAME_MAX = UINT16_MAX + 1024,
    ENCODER_IDENTITY_MAX = 255,
    ENCODER_CONTENT_TYPE_LENGTH = 22,
};

extern const char encoder_content_type[ENCODER_CONTENT_TYPE_LENGTH + 1];

enum encoder_kind { ENCODER_QUERY, ENCODER_RESPONSE };

/* What every message says of the server: at most ENCODER_IDENTITY_MAX octets each; empty: nothing.
 */
struct encoder {
    const char *identity;
    const char *version;
};

/* Writes one message of the record, whose octets are `octets`, to `frame`, which has room for
 * ENCODER_FRAME_MAX. Returns its length. The record has octets of that kind. */
size_t encoder_write(const struct encoder *encoder, const struct ring_record *record,
                     const uint8_t *octets, enum encoder_kind kind, uint8_t *frame);

#endif
