/*
 * The presentation format of the simplest things: names, numbers, times, character-strings
 * (RFC 1035 §5.1, RFC 2308 §4, RFC 4034 §3.2). Functions that can fail return NULL, or what is
 * wrong as a phrase that goes behind the quoted token.
 */
#ifndef SORREL_ZONE_PRESENTATION_H
#define SORREL_ZONE_PRESENTATION_H

#include "message/name.h"
#include "zone/lexer.h"

#include <stddef.h>
#include <stdint.h>

/* A name in wire form, in the case it was written in. */
struct domain {
    uint8_t length;
    uint8_t octets[NAME_OCTETS_MAX];
};

/* Longest TTL (RFC 2181 §8). */
enum { PRESENTATION_TTL_MAX = 0x7FFFFFFF };

/* Reads a name; one that does not end with a dot is relative to `origin`, `@` is `origin`
 * itself. */
const char *presentation_name(const struct token *token, const struct domain *origin,
                              struct domain *name);

const char *presentation_number(const struct token *token, uint32_t max, uint32_t *number);

/* A number of seconds, or of units: 1w2d3h4m5s, in any case. */
const char *presentation_ttl(const struct token *token, uint32_t *ttl);

/* YYYYMMDDHHmmSS, or seconds since 1970 modulo 2^32. */
const char *presentation_time(const struct token *token, uint32_t *time);

/* Resolves escapes into `to`, at most `room` octets. */
const char *presentation_octets(const struct token *token, uint8_t *to, size_t room,
                                size_t *length);

/* Decodes hexadecimal digits, two for each octet, into `to`, at most `room` octets. */
const char *presentation_hex(const char *text, size_t text_length, uint8_t *to, size_t room,
                             size_t *length);

/* Decodes base64 with padding (RFC 4648 §4), likewise; not of nothing. */
const char *presentation_base64(const char *text, size_t text_length, uint8_t *to, size_t room,
                                size_t *length);

/* Decodes base32hex without padding (RFC 5155 §3.3), likewise. */
const char *presentation_base32hex(const char *text, size_t text_length, uint8_t *to, size_t room,
                                   size_t *length);

/* Is the token this unquoted word, in any case? */
bool presentation_is(const struct token *token, const char *word);

#endif
