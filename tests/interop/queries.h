/*
 * Questions made from what a zone holds: every owner with every type, and names below, between,
 * beside and above each; and a table of odd messages.
 */
#ifndef SORREL_INTEROP_QUERIES_H
#define SORREL_INTEROP_QUERIES_H

#include "ask.h"

enum {
    QUERIES_UDP_PAYLOAD = 1232, /* what every server under comparison is set to */
    QUERIES_MAX = 65536,        /* IDs number them */
};

/* Adds at most about `limit` questions on `zone`, an even sample of all if there are more. */
void queries_generate(struct query_list *list, const struct zone *zone, size_t limit);

/* Adds an empty query with room for `length` octets of message and its ID written. */
struct query *queries_add(struct query_list *list, size_t length);

void queries_free(struct query_list *list);

#endif
