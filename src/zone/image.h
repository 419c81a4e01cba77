/*
 * The table while it is written: one growing run of octets. Things in it are kept by offset.
 */
#ifndef SORREL_ZONE_IMAGE_H
#define SORREL_ZONE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: empty, in memory of this process. */
struct image {
    uint8_t *octets;
    size_t length;
    size_t room;
    bool in_file;
    int fd;          /* then: of a memory file that the octets are in */
    bool over_limit; /* it cannot grow: files may not be so large here (RLIMIT_FSIZE) */
    size_t provided; /* up to here large pages have been asked for */
};

/* Puts an empty image into a memory file. False with errno. */
bool image_begin_file(struct image *image);

/* Ends such an image: the memory file, sealed and the caller's; or -1 with errno. */
int image_seal(struct image *image);

/* Adds `size` octets, zero, and returns them; they may move with the next call. */
void *image_add(struct image *image, size_t size);

/* Adds a copy of `size` octets. */
void image_put(struct image *image, const void *from, size_t size);

/* Fills with zero to a multiple of `unit`, a power of two. */
void image_align(struct image *image, size_t unit);

void image_free(struct image *image);

#endif
