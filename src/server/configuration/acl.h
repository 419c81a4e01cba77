/*
 * Who may ask, or have zones transferred, as a configuration file says it: lists of addresses under
 * a name, and what they are named for. A name may be used before it is defined, so all is brought
 * together at the end.
 */
#ifndef SORREL_SERVER_ACL_H
#define SORREL_SERVER_ACL_H

#include "server/protection/access_rules.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One of a list's addresses, or of those that a zone has for one purpose. The strings are the
 * caller's. */
struct acl_entry {
    const char *owner; /* the list's name or the zone's; NULL: all zones without entries */
    const char *who;   /* address, ADDR/BITS, `any`, `none`, or in a zone a list's name */
    const char *file;  /* that has it, in `line` */
    unsigned line;
    bool open; /* the section that it is in has not ended yet, which has the owner's name */
};

struct acl_entries {
    struct acl_entry *items;
    size_t count;
};

struct acl {
    struct acl_entries lists;
    struct acl_entries queries;   /* of zones: who may ask */
    struct acl_entries transfers; /* of zones: who may have them transferred */
};

/* Adds an entry. False: no memory. */
bool acl_add(struct acl_entries *entries, const struct acl_entry *entry);

/* A section has ended: its entries are `owner`'s. False: there are none. */
bool acl_close(struct acl_entries *entries, const char *owner);

/* Has `owner` entries already? */
bool acl_has(const struct acl_entries *entries, const char *owner);

/* What is wrong with an entry of a zone. */
typedef void acl_sink(void *closure, const struct acl_entry *entry, const char *sentence);

/* Makes rules of the entries of zones, either kind. */
void acl_resolve(const struct acl_entries *zones, const struct acl_entries *lists,
                 struct access_rules *rules, acl_sink *sink, void *closure);

/* A number that is another, nearly always, if they say another thing. */
uint64_t acl_digest(const struct acl_entries *zones, const struct acl_entries *lists);

void acl_free(struct acl *acl);

#endif
