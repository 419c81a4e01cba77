#include "table/large_pages.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux 5.14 and 6.1; older C libraries do not name them. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* Room to shift the mapping in, none of it usable. */
static uint8_t *reserve(size_t length)
{
    void *room = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return room == MAP_FAILED ? NULL : room;
}

static void give_back(uint8_t *from, const uint8_t *to)
{
    if (from < to)
        munmap(from, (size_t)(to - from));
}

void *large_pages_map(int fd, size_t length, int protection)
{
    size_t small_page = (size_t)sysconf(_SC_PAGESIZE);
    size_t whole = (length + small_page - 1) & ~(small_page - 1);
    uint8_t *room = length >= LARGE_PAGE ? reserve(whole + LARGE_PAGE) : NULL;

    if (room == NULL)
        return mmap(NULL, length, protection, MAP_SHARED, fd, 0);
    size_t shift = -(uintptr_t)room & (LARGE_PAGE - 1);
    give_back(room, room + shift);
    give_back(room + shift + whole, room + whole + LARGE_PAGE);
    void *mapping = mmap(room + shift, length, protection, MAP_SHARED | MAP_FIXED, fd, 0);
    if (mapping == MAP_FAILED)
        give_back(room + shift, room + shift + whole);
    return mapping;
}

size_t large_pages_provide(void *mapping, size_t from, size_t to)
{
    uint8_t *octets = mapping;

    for (; from < to; from += LARGE_PAGE) {
        /* There must be something to collapse: one small page. */
        if (madvise(octets + from, 1, MADV_POPULATE_WRITE) != 0 ||
            madvise(octets + from, LARGE_PAGE, MADV_COLLAPSE) != 0)
            break;
    }
    return from;
}

/* Reads on to the line that begins with `word`, of this mapping's. */
static bool find_line(FILE *file, const char *word, char line[256])
{
    while (fgets(line, 256, file) != NULL) {
        if (strncmp(line, word, strlen(word)) == 0)
            return true;
        if (strncmp(line, "VmFlags", 7) == 0)
            return false;
    }
    return false;
}

size_t large_pages_used(const void *mapping)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    uint64_t kilobytes = 0;
    char line[256], first[2 + 16 + 2];

    if (file == NULL)
        return 0;
    snprintf(first, sizeof first, "%" PRIxPTR "-", (uintptr_t)mapping);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, first, strlen(first)) != 0)
            continue;
        if (find_line(file, "ShmemPmdMapped:", line))
            sscanf(line, "ShmemPmdMapped: %" SCNu64, &kilobytes);
        break;
    }
    fclose(file);
    return kilobytes * 1024;
}
