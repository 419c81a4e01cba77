/*
 * The table while it is written: one growing run of octets. Things in it are kept by offset.
 */
#ifndef SORREL_ZONE_IMAGE_H
#define SORREL_ZONE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* All zero: empty. */
struct image {
    uint8_t *octets;
    size_t length;
    size_t room;
};

/* Adds `size` octets, zero, and returns them; they may move with the next call. */
void *image_add(struct image *image, size_t size);

/* Adds a copy of `size` octets. */
void image_put(struct image *image, const void *from, size_t size);

/* Fills with zero to a multiple of `unit`, a power of two. */
void image_align(struct image *image, size_t unit);

void image_free(struct image *image);

#endif
