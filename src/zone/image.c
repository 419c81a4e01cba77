#include "zone/image.h"

#include "table/large_pages.h"
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
    if (ftruncate(image->fd, (off_t)room) != 0) {
        image->over_limit = errno == EFBIG;
        return false;
    }
    void *octets = large_pages_map(image->fd, room, PROT_READ | PROT_WRITE);
    if (octets == MAP_FAILED)
        return false;
    if (image->octets != NULL)
        munmap(image->octets, image->room);
    image->octets = octets;
    image->room = room;
    return true;
}

/* Has large pages under what is about to be written; but not under small tables. */
static void provide_large_pages(struct image *image, size_t need)
{
    if (need < LARGE_PAGE || need <= image->provided)
        return;
    size_t to = need - need % LARGE_PAGE + (need % LARGE_PAGE > 0 ? LARGE_PAGE : 0);
    if (to > image->room)
        to = image->room - image->room % LARGE_PAGE;
    size_t provided = large_pages_provide(image->octets, image->provided, to);
    /* What the kernel declines once it is not asked for again. */
    image->provided = provided < to ? SIZE_MAX : to;
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
    if (image->in_file)
        provide_large_pages(image, image->length + size);
    uint8_t *octets = image->octets + image->length;
    memset(octets, 0, size);
    image->length += size;
    return octets;
}

void image_put(struct image *image, const void *from, size_t size)
{
    make_room(image, size);
    if (image->in_file)
        provide_large_pages(image, image->length + size);
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
