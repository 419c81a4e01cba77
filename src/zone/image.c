#include "zone/image.h"

#include "table/seal.h"
#include "zone/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    FIRST_ROOM = 1 << 16,
    FIRST_FILE_ROOM = 1 << 20, /* what is not written to in the file takes no memory */
};

/* Makes the file and its mapping larger. */
static bool grow_file(struct image *image, size_t room)
{
    if (ftruncate(image->fd, (off_t)room) != 0)
        return false;
    void *octets = image->octets == NULL
                       ? mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, image->fd, 0)
                       : mremap(image->octets, image->room, room, MREMAP_MAYMOVE);
    if (octets == MAP_FAILED)
        return false;
    image->octets = octets;
    image->room = room;
    return true;
}

static void make_room(struct image *image, size_t size)
{
    size_t need = image->length + size;

    if (need <= image->room)
        return;
    size_t room = image->room > 0 ? image->room : FIRST_ROOM;
    while (room < need)
        room += image->in_file ? room : room / 2;
    if (!image->in_file) {
        image->octets = memory_resize(image->octets, room);
        image->room = room;
    } else if (!grow_file(image, room)) {
        memory_exhausted();
    }
}

bool image_begin_file(struct image *image)
{
    *image = (struct image){.in_file = true, .fd = seal_create(0)};
    if (image->fd < 0)
        return false;
    if (grow_file(image, FIRST_FILE_ROOM))
        return true;
    int reason = errno;
    close(image->fd);
    errno = reason;
    return false;
}

int image_seal(struct image *image)
{
    int fd = image->fd;

    /* What is mapped for writing cannot be sealed. */
    munmap(image->octets, image->room);
    bool sealed = ftruncate(fd, (off_t)image->length) == 0 && seal_close(fd) == 0;
    *image = (struct image){0};
    if (sealed)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
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
    if (image->in_file) {
        munmap(image->octets, image->room);
        close(image->fd);
    } else {
        free(image->octets);
    }
    *image = (struct image){0};
}
