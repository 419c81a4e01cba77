/*
 * SvcParams of SVCB and HTTPS (RFC 9460 §2.1, §7, Appendix A; RFC 9461 §5).
 */
#ifndef SORREL_ZONE_SVCB_H
#define SORREL_ZONE_SVCB_H

#include "zone/lexer.h"

#include <stddef.h>
#include <stdint.h>

/* Reads tokens from `*next` to `end` and writes the parameters by ascending key. NULL, or what is
 * wrong with the token that `*next` is left at. */
const char *svcb_read_parameters(const struct token **next, const struct token *end, uint8_t *to,
                                 size_t room, size_t *length);

/* NULL, or what is wrong with parameters in wire form. */
const char *svcb_check_parameters(const uint8_t *wire, size_t length);

#endif
