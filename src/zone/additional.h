/*
 * Which name in an RDATA asks for addresses in the additional section.
 */
#ifndef SORREL_ZONE_ADDITIONAL_H
#define SORREL_ZONE_ADDITIONAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where that name stands in the (uncompressed) RDATA; false if there is none. `*is_owner`: it is
 * `.` and means the owner (RFC 9460 §2.5.2). */
bool additional_target(uint16_t type, const uint8_t *rdata, size_t length, size_t *offset,
                       bool *is_owner);

#endif
