/*
 * A zone table written octet by octet, for the tests of what only reads one.
 *
 * Two zones: `example.`, whose nodes are listed in image.c and have every part that layout.h knows,
 * and the root with nothing but a SOA.
 */
#ifndef SORREL_TESTS_IMAGE_H
#define SORREL_TESTS_IMAGE_H

#include "table/table.h"

#include <stddef.h>
#include <stdint.h>

enum { IMAGE_NODES_MAX = 16 };

struct image {
    uint8_t *octets; /* of just that length, so that reading beyond is noticed */
    size_t length;
    size_t section; /* of `example.`: octets from the start */
    uint32_t refs[IMAGE_NODES_MAX];
};

void image_make(struct image *image);

/* Another of the same content. */
void image_copy(struct image *copy, const struct image *image);

/* Puts the checksum right after a change. */
void image_mend(struct image *image);

/* Fails the test if table_open() refuses the image. */
struct table image_open(const struct image *image);

void image_free(struct image *image);

/* --- places to be changed --- */

/* The section of `example.` */
struct table_section *image_section(const struct image *image);

/* The node with that owner name below `example.`: in wire form, without the root's octet. Those
 * outside the slots are found too. */
struct table_node *image_node(const struct image *image, const char *owner);

/* The same place as `found`, which an accessor of table.h returned, to be changed. */
uint8_t *image_octets(const struct image *image, const void *found);

#endif
