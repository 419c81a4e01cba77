/*
 * LOC RDATA (RFC 1876 §3): d [m [s]] N|S d [m [s]] E|W altitude [size [horizontal [vertical]]].
 */
#ifndef SORREL_ZONE_LOC_H
#define SORREL_ZONE_LOC_H

#include "zone/lexer.h"

#include <stdint.h>

enum { LOC_OCTETS = 16 };

/* Reads all tokens from `*next` to `end`. NULL, or what is wrong with the token that `*next` is
 * left at; "" if there are too few. */
const char *loc_read(const struct token **next, const struct token *end, uint8_t wire[LOC_OCTETS]);

#endif
