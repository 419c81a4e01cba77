/*
 * One stored RRset against what layout.h and fragment.h promise of it.
 */
#ifndef SORREL_TABLE_VALIDATE_RRSET_H
#define SORREL_TABLE_VALIDATE_RRSET_H

#include "table/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The owner of the RRset: labels below the apex, checked already. */
struct validate_owner {
    const uint8_t *labels;
    uint8_t length;      /* octets of the labels below the apex */
    uint8_t name_length; /* octets of the whole name */
    bool wildcard;
    bool occluded; /* nobody relies on what CNAME and DNAME RRsets there are */
};

/* Octets that the RRset at `at` takes, or 0 if `available` octets cannot hold it. */
size_t validate_rrset_size(const uint8_t *at, size_t available);

/*
 * The same of an RRset that is plain and sound: RRs only, of a type whose RDATA nobody looks into,
 * as most are. 0: it is not, and validate_rrset_size() and validate_rrset() tell what else it is.
 */
size_t validate_plain_rrset(const uint8_t *at, size_t available);

/*
 * Checks an RRset that lies in bounds: RRs, signatures, glue, pointers, and how targets are named;
 * not which nodes the targets are. NULL, or a sentence without a full stop.
 */
const char *validate_rrset(const struct rrset *rrset, const struct validate_owner *owner);

#endif
