#include "zone/image.h"

#include "zone/memory.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1 << 16 };

static void make_room(struct image *image, size_t size)
{
    size_t need = image->length + size;

    if (need <= image->room)
        return;
    size_t room = image->room > 0 ? image->room : FIRST_ROOM;
    while (room < need)
        room += room / 2;
    image->octets = memory_resize(image->octets, room);
    image->room = room;
}

void *image_add(struct image *image, size_t size)
{
    make_room(image, size);
    uint8_t *octets = image->octets + image->length;
    memset(octets, 0, size);
    image->length += size;
    return octets;
}

void image_put(struct image *image, const void *from, size_t size)
{
    make_room(image, size);
    if (size > 0)
        memcpy(image->octets + image->length, from, size);
    image->length += size;
}

void image_align(struct image *image, size_t unit)
{
    size_t over = image->length & (unit - 1);

    if (over > 0)
        image_add(image, unit - over);
}

void image_free(struct image *image)
{
    free(image->octets);
    *image = (struct image){0};
}
