/*
 * The canonical-order index of a zone signed with NSEC.
 */
#ifndef SORREL_ANSWER_NSEC_H
#define SORREL_ANSWER_NSEC_H

#include "message/name.h"
#include "table/table.h"

#include <stdint.h>

/* The node (a ref) whose NSEC RR matches `name` or covers it: the last in canonical order (RFC 4034
 * §6.1) not behind it. `name` lies in the zone, which has NSEC RRs. */
uint32_t nsec_find(const struct table_section *zone, const struct name *name);

#endif
