/*
 * Who may ask about which zone, or have it transferred.
 */
#ifndef SORREL_ANSWER_ACCESS_H
#define SORREL_ANSWER_ACCESS_H

#include "answer/prefix.h"
#include "message/name.h"
#include "table/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct access_key {
    struct name name;
    struct prefix from; /* whoever signs with it has to be there; length 0: may be anywhere */
};

/* Some clients. */
struct access_list {
    struct prefix_list networks;
    const struct access_key *keys; /* and whoever signs with one of these */
    size_t key_count;
};

struct access_entry {
    uint64_t hash; /* of the apex, as in the table */
    const struct name *apex;
    const struct access_list *allowed;
};

/* Belongs to one table, or others of the same seed. */
struct access {
    struct access_entry *entries; /* ascending by hash */
    size_t count;
    const struct access_list *others; /* for zones without an entry; NULL: nothing is
                                         said of them */
};

/* `access` NULL: everyone may. */
bool access_allows(const struct access *access, const struct table_section *zone,
                   const struct client *client);

/* The same of a client who signs with `key`, or with none (NULL); but only those may that are
 * listed: `access` NULL, or no list for the zone: nobody. */
bool access_grants(const struct access *access, const struct table_section *zone,
                   const struct client *client, const struct name *key);

#endif
