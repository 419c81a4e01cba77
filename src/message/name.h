/*
 * Domain names in wire form (RFC 1035 §3.1): length-prefixed labels, leftmost first, closed by
 * the root's zero octet; at most 255 octets, labels at most 63. Any octet may occur in a label.
 */
#ifndef SORREL_MESSAGE_NAME_H
#define SORREL_MESSAGE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NAME_OCTETS_MAX = 255,
    NAME_LABELS_MAX = 127, /* not counting the root */
    NAME_LABEL_OCTETS_MAX = 63,
};

/*
 * A name made ready for comparison: lower-cased (ASCII only, RFC 4343), with the place of every
 * label. Labels are numbered from the left; label number `labels` is the root.
 */
struct name {
    uint8_t length; /* octets, the root's included: 1-255 */
    uint8_t labels; /* not counting the root: 0-127 */
    uint8_t octets[NAME_OCTETS_MAX + 1];
    uint8_t offset[NAME_LABELS_MAX + 1]; /* of label i's length octet within octets */
};

/* Octets of the uncompressed name at `wire`, or 0 as above. */
size_t name_measure(const uint8_t *wire, size_t available);

/* Copies `length` octets of a name in wire form, lower-casing A-Z. Safe on whole names: a length
 * octet is at most 63, below 'A'. The two must not overlap. */
void name_copy_lower(uint8_t *to, const uint8_t *from, size_t length);

/* Reads the uncompressed name that starts at `wire`, of which `available` octets may be read.
 * Returns the octets it takes; 0 if it is cut short, compressed or too long. Any case. */
static inline size_t name_read(struct name *name, const uint8_t *wire, size_t available)
{
    size_t end = available < NAME_OCTETS_MAX ? available : NAME_OCTETS_MAX;
    size_t at = 0;
    unsigned labels = 0;

    for (;;) {
        if (at >= end)
            return 0;
        unsigned label = wire[at];
        name->offset[labels] = (uint8_t)at;
        if (label == 0)
            break;
        if (label > NAME_LABEL_OCTETS_MAX)
            return 0;
        at += 1 + label;
        labels++;
    }
    name->labels = (uint8_t)labels;
    name->length = (uint8_t)(at + 1);
    name_copy_lower(name->octets, wire, at + 1);
    return at + 1;
}

/* The octets of `name` from label `first` to its end, for a suffix of it. */
static inline const uint8_t *name_suffix(const struct name *name, unsigned first)
{
    return name->octets + name->offset[first];
}

static inline unsigned name_suffix_length(const struct name *name, unsigned first)
{
    return (unsigned)name->length - name->offset[first];
}

/* Canonical order (RFC 4034 §6.1) of two lower-cased names; <0, 0, >0. */
int name_compare(const struct name *a, const struct name *b);

/* Is `name` equal to `ancestor` or below it? */
bool name_is_within(const struct name *name, const struct name *ancestor);

enum { NAME_TEXT_MAX = 4 * NAME_OCTETS_MAX + 2 };

/* Writes the presentation form (RFC 1035 §5.1: dots and backslashes escaped, other octets as
 * \DDD; absolute, with the final dot), NUL-terminated. Returns `text`. */
char *name_to_text(const struct name *name, char text[NAME_TEXT_MAX]);

#endif
