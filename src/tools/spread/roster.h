/*
 * Who has answered, as NSID (RFC 5001) tells: sorreld's "worker N of M", or of other servers any
 * text, each different one being another worker.
 */
#ifndef SORREL_TOOLS_SPREAD_ROSTER_H
#define SORREL_TOOLS_SPREAD_ROSTER_H

#include <stddef.h>
#include <stdint.h>

enum {
    ROSTER_MAX = 512,      /* workers */
    ROSTER_NAME_MAX = 128, /* octets of an NSID that are looked at */
    ROSTER_NONE = ROSTER_MAX,
};

struct roster {
    unsigned count; /* workers that are known of; numbered from 0 */
    /* Of those that are told apart by their text: in the order in which they have answered. */
    size_t lengths[ROSTER_MAX];
    uint8_t names[ROSTER_MAX][ROSTER_NAME_MAX];
};

/* Begins with `count` workers; 0 if their number is to be learnt. */
void roster_start(struct roster *roster, unsigned count);

/* The worker that an NSID names; ROSTER_NONE if it is one too many. */
unsigned roster_find(struct roster *roster, const uint8_t *nsid, size_t length);

/* The text that a worker is told apart by, octets that do not print as '?'; empty if it is its
 * number. Returns `text`. */
const char *roster_name(const struct roster *roster, unsigned worker,
                        char text[ROSTER_NAME_MAX + 1]);

#endif
