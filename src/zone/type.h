/*
 * Mnemonics of RR types, and the fields of their RDATA as ldns describes them.
 */
#ifndef SORREL_ZONE_TYPE_H
#define SORREL_ZONE_TYPE_H

#include "zone/lexer.h"

#include <ldns/ldns.h>
#include <stdbool.h>
#include <stdint.h>

/* Mnemonic or TYPE1234 (RFC 3597 §5), in any case. */
bool type_read(const struct token *token, uint16_t *type);

enum { TYPE_TEXT_MAX = 24 };

/* Returns `text`. */
const char *type_to_text(uint16_t type, char text[TYPE_TEXT_MAX]);

/* NULL if the RDATA is known in the form of RFC 3597 §5 only. */
const ldns_rr_descriptor *type_descriptor(uint16_t type);

#endif
